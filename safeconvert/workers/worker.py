"""Run adapters in worker processes, so that a segfault, a hang or a memory blow-up is an error message.

A worker is a process that imports its framework once and answers calls one after another. It contains itself before it
imports anything (`workers.containment`), and ends with its parent. Its stdout and stderr go to a log file of bounded size; requests
and replies are JSON lines on two pipes of their own; arrays travel as `.npy` files.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import select
import shutil
import signal
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from safeconvert import errors
from safeconvert.core.causes import cause_line
from safeconvert.core.trace import Category, Span, Trace
from safeconvert.errors import AdapterFailure
from safeconvert.workers.containment.policy import UNCONTAINED, Held, Policy
from safeconvert.workers.log import BoundedLog
from safeconvert.workers.requests import Request
from safeconvert.workers.spans import told_spans
from safeconvert.workers.start import Process, Start, anew
from safeconvert.workers.template import Forked, Wait
from safeconvert.workers.templates import Templates
from safeconvert.workers.variables import variables
from safeconvert.workers.watch import excess as find_excess

_PEOPLE_ERRORS = {
    cls.__name__: cls for cls in (errors.UnusableInput, errors.NotEquivalent, errors.NoRoute, errors.NoVerdict)
}


_POLL_SECONDS = 0.1
_START_SECONDS = 60.0
_LARGEST_REPLY = 16 << 20  # bytes; arrays travel as files
_FULL_DISK = 1 << 20  # bytes left


@dataclass(frozen=True)
class Limits:
    """What one call of a worker may use: wall time in seconds, resident memory in bytes."""

    seconds: float
    memory: int


class Worker:
    """One process; starts at the first call, starts anew after a death.

    Attributes:
        log: where the process' stdout and stderr go.
        generation: how many processes there have been.
        failed: whether any call went wrong.
        held: what containment the last process had; None before there was one.
        trace: is told what the process does.
    """

    def __init__(
        self,
        python: Path,
        log: Path,
        limits: Limits,
        folder: Path,
        policy: Policy = UNCONTAINED,
        names: Mapping[str, str] | None = None,
        templates: Templates | None = None,
    ) -> None:
        self.log = log
        self.trace = Trace()
        self._templates = templates
        self._cancelled = threading.Event()
        self._names = {} if names is None else names
        self._policy = policy
        self._printed = BoundedLog(log)
        self._ended = False
        self.held: Held | None = None
        self._python = python
        self._limits = limits
        self._folder = folder
        self._lock = threading.Lock()
        self._process: Process | None = None
        self._requests = -1
        self._replies = -1
        self._buffer = bytearray()
        self.generation = 0
        self.failed = False

    def call(self, adapter: str, doing: str, request: Request) -> Any:
        """Send one request and wait for its reply.

        Raises:
            AdapterFailure: the adapter raised, died or went past a limit.
            SafeconvertError: the adapter raised one of ours (raised again as it was), or the disk is full.
        """
        try:
            with self.trace.host(f"{self.log.stem}: {doing}", Category.CALL):
                return self._call(adapter, doing, request)
        except errors.SafeconvertError:
            self.failed = True
            free = shutil.disk_usage(self._folder).free
            if free < _FULL_DISK:
                raise errors.UnusableInput(
                    f"{self._folder}: the disk is full ({free} bytes left) while {doing}",
                    "free some space, or set TMPDIR to another disk",
                    str(self.log),
                ) from None
            raise

    def _call(self, adapter: str, doing: str, request: Request) -> Any:
        with self._lock:
            if self._process is None:
                began = time.monotonic()
                try:
                    self._start(request)
                except TimeoutError as failed:
                    cause = f"no answer within the time limit of {self._limits.seconds:g} s"
                    raise AdapterFailure(adapter, doing, cause, self.log, died=True) from failed
                except OSError as failed:
                    cause = f"{self._python} cannot be started: {failed.strerror}"
                    raise AdapterFailure(adapter, doing, cause, self.log, died=True) from failed
                self.held = Held.from_json(self._exchange(adapter, "starting", self._policy, _START_SECONDS))
                self._tell(Span("process starts", Category.START, self.log.stem, 0, 0, began, time.monotonic()))
            return self._exchange(adapter, doing, request, self._limits.seconds)

    def _exchange(self, adapter: str, doing: str, request: Request, seconds: float) -> Any:
        """One request and its result."""
        began = time.monotonic()
        if isinstance(self._process, Forked):
            self._process.tell(request)
        try:
            self._send(adapter, doing, request, time.monotonic() + seconds)
            line = self._receive(adapter, doing, seconds)
        except BrokenPipeError:
            raise self._death(adapter, doing) from None
        try:
            reply = json.loads(line)
            for span in told_spans(reply, (began, time.monotonic()), doing):
                self._tell(span)
            if "error" not in reply:
                return reply["result"]
            error = {name: self._named(reply["error"][name]) for name in ("type", "message", "advice", "traceback")}
        except (ValueError, RecursionError, KeyError, TypeError) as broken:
            self.close()
            raise AdapterFailure(adapter, doing, f"its reply is none: {broken}", self.log, True) from broken
        if error["type"] == "Uncontained":
            self.close()
            raise errors.UnusableInput(
                f"--containment require: not to be had here: {error['message']}",
                "leave it out and run only models that you trust, or use Linux 6.2 or later",
                str(self.log),
            )
        if error["type"] in _PEOPLE_ERRORS:
            raise _PEOPLE_ERRORS[error["type"]](error["message"], error["advice"], log=str(self.log))
        cause = f"{error['type']}: {cause_line(error['message'])}" if error["message"] else error["type"]
        raise AdapterFailure(adapter, doing, cause, self.log, remote_traceback=error["traceback"])

    def _tell(self, span: Span) -> None:
        """Add a span of the process, or of the template that it was forked from."""
        own = self._process.pid if self._process is not None else 0
        if not span.pid:
            span = replace(span, process=self.log.stem, pid=own, thread=own)
        self.trace.add(span)

    def _named(self, text: object) -> str:
        """A text in which copies of files are called by the names of those that they are copies of."""
        found = str(text)
        for copy, given in self._names.items():
            found = found.replace(copy, given)
        return found

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None

    def abandon(self) -> None:
        """Kill the process, so that a call that still waits for it fails at once. Safe from another thread."""
        self._cancelled.set()
        process = self._process
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

    def end(self) -> None:
        """Kill the process and start no other: every call fails from now on. Safe from another thread."""
        self._ended = True
        self.abandon()

    def close(self) -> None:
        """End the process and everything it started. Safe to call twice."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self._printed.settle()
        os.close(self._requests)
        os.close(self._replies)

    def _start(self, request: Request) -> None:
        """Begin a process, from a template where there is one that has imported what the request needs."""
        self._cancelled.clear()
        if self._ended:
            raise OSError(errno.ECANCELED, os.strerror(errno.ECANCELED))
        request_end, self._requests = os.pipe()
        self._replies, reply_end = os.pipe()
        self._buffer = bytearray()
        self.generation += 1
        printed = self._printed.open()
        try:
            own = variables(self._python, self._folder, self._policy.mode)
            start = Start(printed, request_end, reply_end, self._folder, own, self.log.stem.partition("-")[0])
            wait = Wait(time.monotonic() + self._limits.seconds, self._cancelled)
            forked = self._templates.fork(self._python, request, start, wait) if self._templates is not None else None
            self._process = forked or anew(self._python, start)
        except OSError:
            os.close(self._requests)
            os.close(self._replies)
            raise
        finally:
            os.close(printed)
            os.close(request_end)
            os.close(reply_end)

    def _send(self, adapter: str, doing: str, request: Request, deadline: float) -> None:
        """One request, to a worker that may not read it."""
        data = json.dumps(request.to_json()).encode() + b"\n"
        while data:
            _, ready, _ = select.select([], [self._requests], [], _POLL_SECONDS)
            if ready:
                data = data[os.write(self._requests, data[: select.PIPE_BUF]) :]
            elif time.monotonic() > deadline:
                self.close()
                raise AdapterFailure(adapter, doing, "it takes no requests within the time limit", self.log, True)

    def _receive(self, adapter: str, doing: str, seconds: float) -> bytes:
        """One reply line; watches the clock, the memory, the threads and the reply's size while it waits."""
        deadline = time.monotonic() + seconds
        look = time.monotonic() + _POLL_SECONDS
        end = self._buffer.find(b"\n")
        while end < 0:
            ready, _, _ = select.select([self._replies], [], [], _POLL_SECONDS)
            if ready:
                data = os.read(self._replies, 1 << 20)
                if not data:
                    raise self._death(adapter, doing)
                if b"\n" in data:
                    end = len(self._buffer) + data.index(b"\n")
                self._buffer += data
                if end >= 0:
                    break
            now = time.monotonic()
            excess = ""
            if now > deadline:
                excess = f"no answer within the time limit of {seconds:g} s"
            elif len(self._buffer) > _LARGEST_REPLY:
                excess = f"its reply grew past {_LARGEST_REPLY >> 20} MiB"
            elif now > look:
                look = now + _POLL_SECONDS
                excess = find_excess(self._process.pid, self._limits.memory) if self._process is not None else ""
            if excess:
                self.close()
                raise AdapterFailure(adapter, doing, excess, self.log, True)
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line

    def _death(self, adapter: str, doing: str) -> AdapterFailure:
        assert self._process is not None
        code = self._process.wait()
        self.close()
        if code < 0:
            cause = f"the process died of signal {-code} ({signal.Signals(-code).name})"
        else:
            cause = f"the process ended by itself with exit code {code}"
        return AdapterFailure(adapter, doing, cause, self.log, died=True)
