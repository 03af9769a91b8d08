"""A process that stays and has imported its frameworks: it does each thing that it is given in a fork of its own, so that a crash costs that only.

`Forked(file).call(words, seconds)` here; `serve(work, modules)` in the file that it runs.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

HUNG = -1000
"""The code of what was ended at its limit."""


@dataclass(frozen=True)
class Done:
    """How one thing ended: exit code (negative for a signal), and what it printed."""

    code: int
    out: str
    err: str


class Forked:
    """The process, started at the first call."""

    def __init__(self, file: Path, environment: Mapping[str, str] | None = None) -> None:
        self._command = [sys.executable, str(file), "--serve"]
        self._environment = environment
        self._process: subprocess.Popen[str] | None = None

    def call(self, words: Sequence[str], seconds: int) -> Done:
        """Have one thing done."""
        if self._process is None or self._process.poll() is not None:
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
            self._process = subprocess.Popen(self._command, text=True, env=self._environment, **pipes)
        assert self._process.stdin is not None and self._process.stdout is not None
        print(json.dumps([list(words), seconds]), file=self._process.stdin, flush=True)
        return Done(**json.loads(self._process.stdout.readline()))


def serve(work: Callable[..., None], modules: Sequence[str]) -> None:
    """Answer every line of stdin with one of stdout."""
    for name in modules:
        importlib.import_module(name)
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        words, seconds = json.loads(line)
        with (
            tempfile.TemporaryFile("w+", errors="replace") as out,
            tempfile.TemporaryFile("w+", errors="replace") as err,
        ):
            child = os.fork()
            if child == 0:
                _work(work, words, out.fileno(), err.fileno())
            code = _ended(child, seconds)
            texts = [(file.seek(0), file.read())[1] for file in (out, err)]
        print(json.dumps({"code": code, "out": texts[0], "err": texts[1][-20000:]}), file=answers, flush=True)


def _work(work: Callable[..., None], words: Sequence[str], out: int, err: int) -> NoReturn:
    """In the fork; never returns."""
    code = 1
    try:
        os.setsid()
        os.dup2(out, 1)
        os.dup2(err, 2)
        work(*words)
        code = 0
    except BaseException:  # noqa: BLE001 - the fork's last act is to say how it ended
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _ended(child: int, seconds: int) -> int:
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.05)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return HUNG
