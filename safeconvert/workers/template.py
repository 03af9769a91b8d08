"""One template (`_template.py`): a process that has imported a framework and forks workers, as its host sees it."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safeconvert.workers.requests import Request
from safeconvert.workers.start import Start

_PROGRAM = Path(__file__).with_name("_template.py")
_ROOT = _PROGRAM.parents[2]
_END_SECONDS = 2.0
_POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Wait:
    """How long to wait: to a time of `time.monotonic`, and while nobody says otherwise."""

    deadline: float
    cancelled: threading.Event


class Forked:
    """A process that a template forked; its leader's number is its process group's."""

    def __init__(self, pid: int, status: int, tell: Callable[[Request], None]) -> None:
        """With its status pipe; `tell` is told what it is asked."""
        self.pid = pid
        self.tell = tell
        self._status = status
        self._code: int | None = None
        self._lock = threading.Lock()

    def wait(self) -> int:
        """Its exit code when it ended, as `subprocess` gives it; where its template is gone, it is killed."""
        with self._lock:
            if self._code is None:
                line = number_on(self._status, None)
                os.close(self._status)
                if line is None:
                    with contextlib.suppress(ProcessLookupError):
                        os.killpg(self.pid, signal.SIGKILL)
                self._code = -signal.SIGKILL if line is None else line
            return self._code


class Template:
    """One process that imports modules and then forks.

    It is told at once what to fork, and does so when it has imported; the descriptors of what was to be forked close with it.
    """

    def __init__(self, control: socket.socket, process: subprocess.Popen[bytes] | None = None) -> None:
        """With the process, where this one started it."""
        self._control = control
        self._process = process
        self._lock = threading.Lock()

    def fileno(self) -> int:
        """The descriptor of its control socket; whoever has it too may ask it as well."""
        return self._control.fileno()

    def fork(self, start: Start, wait: Wait, tell: Callable[[Request], None]) -> Forked:
        """A worker; `tell` is told what it is asked.

        Raises:
            OSError: the template is gone, or the wait is over (TimeoutError, InterruptedError).
        """
        reading, writing = os.pipe()
        request = {"fork": "worker", "folder": str(start.folder), "environment": dict(start.environment)}
        try:
            try:
                self._send(request, (start.printed, start.requests, start.replies, writing))
            finally:
                os.close(writing)
            pid = number_on(reading, wait)
            if pid is None:
                raise ConnectionError("the template is gone")
        except OSError:
            os.close(reading)
            raise
        return Forked(pid, reading, tell)

    def grown(self, modules: Sequence[str], adapters: Sequence[Path] = ()) -> Template:
        """A template that has imported more, and loaded adapters. Raises OSError where this one is gone."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            try:
                request = {"fork": "template", "modules": list(modules), "adapters": list(map(str, adapters))}
                self._send(request, (theirs.fileno(),))
            except OSError:
                ours.close()
                raise
        return Template(ours)

    def shared(self, levels: Sequence[Mapping[str, Any]]) -> tuple[Template, int]:
        """A template of one's own whose imports are done once for all that ask this one, and a pipe on which its process number comes.

        Args:
            levels: "key", "modules" and "adapters" of the templates that it is forked from, one from the other.

        Raises:
            OSError: this one is gone.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        reading, writing = os.pipe()
        try:
            self._send({"fork": "shared", "levels": list(levels)}, (theirs.fileno(), writing))
        except OSError:
            ours.close()
            os.close(reading)
            raise
        finally:
            theirs.close()
            os.close(writing)
        return Template(ours), reading

    def close(self) -> None:
        """Let it end, with the workers that it forked."""
        self._control.close()

    def ended(self) -> None:
        """Wait until the process that was started here has ended; kill it where it does not."""
        if self._process is not None:
            try:
                self._process.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()

    def _send(self, request: Mapping[str, Any], descriptors: Sequence[int]) -> None:
        with self._lock:
            socket.send_fds(self._control, [json.dumps(request).encode()], descriptors)


def start_template(modules: Sequence[str], environment: Mapping[str, str]) -> Template:
    """A new process; it imports while nobody waits for it. Raises OSError where none can be started."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        try:
            process = subprocess.Popen(
                [sys.executable, str(_PROGRAM), str(theirs.fileno()), str(_ROOT), *modules],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd=tempfile.gettempdir(),
                env=dict(environment),
                start_new_session=True,
            )
        except OSError:
            ours.close()
            raise
    return Template(ours, process)


def number_on(pipe: int, wait: Wait | None) -> int | None:
    """The next number on a pipe; None at its end. Raises TimeoutError, InterruptedError."""
    data = b""
    while not data.endswith(b"\n"):
        if wait is not None:
            ready, _, _ = select.select([pipe], [], [], _POLL_SECONDS)
            if wait.cancelled.is_set():
                raise InterruptedError(errno.ECANCELED, os.strerror(errno.ECANCELED))
            if not ready:
                if time.monotonic() > wait.deadline:
                    raise TimeoutError
                continue
        byte = os.read(pipe, 1)
        if not byte:
            return None
        data += byte
    return int(data)
