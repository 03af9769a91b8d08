"""Run adapters in worker processes, so that a segfault, a hang or a memory blow-up is an error message.

A worker is a process that imports its framework once and answers calls one after another. Its stdout and stderr go to a
log file; requests and replies are JSON lines on two pipes of their own; arrays travel as `.npy` files.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from safeconvert import errors
from safeconvert.core.text import first_line
from safeconvert.errors import AdapterFailure
from safeconvert.registry.environments import inherited
from safeconvert.workers.requests import Request

_WORKER = Path(__file__).with_name("_worker.py")


_PEOPLE_ERRORS = {
    cls.__name__: cls for cls in (errors.UnusableInput, errors.NotEquivalent, errors.NoRoute, errors.NoVerdict)
}


_ENVIRONMENT = {
    "TF_CPP_MIN_LOG_LEVEL": "2",
    "CUDA_VISIBLE_DEVICES": "-1",
    "KERAS_BACKEND": "tensorflow",
    "PYTHONHASHSEED": "0",
    "PYTHONUNBUFFERED": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    # glibc gives every freed block of weights back to the kernel at once and asks for the next one page by page; to keep
    # them until the answer is there makes tf2onnx three times as fast on 60 million weights.
    "MALLOC_MMAP_THRESHOLD_": str(1 << 32),
    "MALLOC_TRIM_THRESHOLD_": str(1 << 36),
}


_POLL_SECONDS = 0.1


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
    """

    def __init__(self, python: Path, log: Path, limits: Limits, folder: Path) -> None:
        self.log = log
        self._python = python
        self._limits = limits
        self._folder = folder
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._requests = -1
        self._replies = -1
        self._buffer = b""
        self.generation = 0
        self.failed = False

    def call(self, adapter: str, doing: str, request: Request) -> Any:
        """Send one request and wait for its reply.

        Raises:
            AdapterFailure: the adapter raised, died or went past a limit.
            SafeconvertError: the adapter raised one of ours (raised again as it was), or the disk is full.
        """
        try:
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
                try:
                    self._start()
                except OSError as failed:
                    cause = f"{self._python} cannot be started: {failed.strerror}"
                    raise AdapterFailure(adapter, doing, cause, self.log, died=True) from failed
            try:
                self._send(request)
                line = self._receive(adapter, doing)
            except BrokenPipeError:
                raise self._death(adapter, doing) from None
        reply = json.loads(line)
        if "error" not in reply:
            return reply["result"]
        error = reply["error"]
        if error["type"] in _PEOPLE_ERRORS:
            raise _PEOPLE_ERRORS[error["type"]](error["message"], error["advice"], log=str(self.log))
        cause = f"{error['type']}: {first_line(error['message'])}" if error["message"] else error["type"]
        raise AdapterFailure(adapter, doing, cause, self.log, remote_traceback=error["traceback"])

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None

    def abandon(self) -> None:
        """Kill the process, so that a call that still waits for it fails at once. Safe from another thread."""
        process = self._process
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

    def close(self) -> None:
        """End the process and everything it started. Safe to call twice."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        os.close(self._requests)
        os.close(self._replies)

    def _start(self) -> None:
        request_end, self._requests = os.pipe()
        self._replies, reply_end = os.pipe()
        self._buffer = b""
        self.generation += 1
        try:
            with self.log.open("ab") as log:
                self._process = subprocess.Popen(
                    [str(self._python), str(_WORKER), str(request_end), str(reply_end), str(_WORKER.parents[2])],
                    pass_fds=(request_end, reply_end),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=self._folder,
                    env={**inherited(self._python), **_ENVIRONMENT, "TMPDIR": str(self._folder)},
                    start_new_session=True,
                )
        except OSError:
            os.close(self._requests)
            os.close(self._replies)
            raise
        finally:
            os.close(request_end)
            os.close(reply_end)

    def _send(self, request: Request) -> None:
        data = json.dumps(request.to_json()).encode() + b"\n"
        while data:
            data = data[os.write(self._requests, data) :]

    def _receive(self, adapter: str, doing: str) -> bytes:
        """One reply line; watches the clock and the memory while it waits."""
        deadline = time.monotonic() + self._limits.seconds
        while b"\n" not in self._buffer:
            ready, _, _ = select.select([self._replies], [], [], _POLL_SECONDS)
            if ready:
                data = os.read(self._replies, 1 << 20)
                if not data:
                    raise self._death(adapter, doing)
                self._buffer += data
                continue
            if time.monotonic() > deadline:
                self.close()
                raise AdapterFailure(
                    adapter, doing, f"no answer within the time limit of {self._limits.seconds:g} s", self.log, True
                )
            if self._memory() > self._limits.memory:
                self.close()
                limit = self._limits.memory / 2**20
                raise AdapterFailure(adapter, doing, f"memory grew past the limit of {limit:.0f} MiB", self.log, True)
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line

    def _memory(self) -> int:
        """Resident bytes of the worker and its children."""
        assert self._process is not None
        try:
            process = psutil.Process(self._process.pid)
            members = [process, *process.children(recursive=True)]
            return sum(int(member.memory_info().rss) for member in members)
        except psutil.Error:
            return 0

    def _death(self, adapter: str, doing: str) -> AdapterFailure:
        assert self._process is not None
        code = self._process.wait()
        self.close()
        if code < 0:
            cause = f"the process died of signal {-code} ({signal.Signals(-code).name})"
        else:
            cause = f"the process ended by itself with exit code {code}"
        return AdapterFailure(adapter, doing, cause, self.log, died=True)
