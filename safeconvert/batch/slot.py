"""A slot: a process of its own in which one job after another runs, so that a crash costs its job only.

The process stays between jobs, and with it what it has imported and started. It is given one JSON line a job, the words of the command line, and
answers one JSON line (`cli.slot`).
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from safeconvert.batch.job import VERIFIED, Job, Result, State
from safeconvert.batch.memory import PeakMemory
from safeconvert.core.text import first_line
from safeconvert.errors import ExitCode
from safeconvert.pipeline.lock import await_free
from safeconvert.workers.template import Template

_PROGRAM = [sys.executable, "-m", "safeconvert.cli.slot"]
_POLL_SECONDS = 0.2
_FREE_SECONDS = 20.0
"""How long the run of a batch that was killed may take to end, before its output path is taken to be somebody else's."""


class Slot:
    """One place for a job. Starts its process at the first job, and anew after a crash."""

    def __init__(self, name: str, logs: Path, folder: Path | None = None, server: Template | None = None) -> None:
        """With a name for its log, the working folder of its jobs (None for this process' own), and the template that serves several slots."""
        self._log = logs / f"slot-{name}.log"
        self._folder = folder
        self._server = server
        self._roots: list[int] = []
        self._unread = b""
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, job: Job) -> Result:
        """Run one job to its end; never raises for what the job does."""
        started = time.monotonic()
        try:
            process = self._ready()
            if job.output is not None:
                await_free(job.output, _FREE_SECONDS)
            assert process.stdin is not None
            process.stdin.write(json.dumps(job.arguments()).encode() + b"\n")
            process.stdin.flush()
            line, peak = self._answer(process)
        except OSError as error:
            self.close()
            return Result(State.CRASHED, None, "", f"its process: {error.strerror}", "", time.monotonic() - started, 0)
        seconds = round(time.monotonic() - started, 3)
        if not line:
            code = process.wait()
            self.close()
            cause = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
            return Result(
                State.CRASHED, None, "", f"its process ended with {cause}; see {self._log}", "", seconds, peak
            )
        return _result(json.loads(line), seconds, peak)

    def close(self) -> None:
        """End the process and all that it started. Safe to call twice, and from another thread."""
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            for pipe in (process.stdin, process.stdout):
                with contextlib.suppress(OSError):
                    pipe.close() if pipe is not None else None

    def _ready(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            served = [] if self._server is None else [self._server.fileno()]
            with self._log.open("ab") as log:
                self._process = subprocess.Popen(
                    [*_PROGRAM, *map(str, served)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, start_new_session=True,
                    cwd=self._folder, pass_fds=served,
                )  # fmt: skip
            self._roots, self._unread = [self._process.pid], b""
        return self._process

    def _answer(self, process: subprocess.Popen[bytes]) -> tuple[bytes, int]:
        """The line that is an answer, b"" where the process ended without, and the memory that was measured while it was waited for."""
        assert process.stdout is not None
        memory = PeakMemory(self._roots)
        while True:
            ready, _, _ = select.select([process.stdout], [], [], _POLL_SECONDS)
            memory.look()
            if ready:
                more = os.read(process.stdout.fileno(), 1 << 20)
                if not more:
                    return b"", memory.peak
                self._unread += more
            while b"\n" in self._unread:
                line, _, self._unread = self._unread.partition(b"\n")
                told = json.loads(line)
                if "template" not in told:
                    return line, memory.peak
                self._roots.append(int(told["template"]))


def _result(answer: dict[str, Any], seconds: float, peak: int) -> Result:
    content = answer["content"]
    code, verdict = int(answer["exit_code"]), str(content.get("verdict") or "")
    reason = first_line(str(content.get("reason") or answer["text"]))
    if (
        code == ExitCode.VERIFIED and verdict != VERIFIED
    ):  # exit code 0 is said of what was verified, and of nothing else
        code, reason = int(ExitCode.NO_VERDICT), f"it ended without a verdict: {reason}"
    return Result(State.DONE, code, verdict, reason, str(content.get("certificate") or ""), seconds, peak, content)
