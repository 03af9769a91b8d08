"""Call the command line: in this process, whose workers are forked from templates, or as a user does, in a process of its own."""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from safeconvert.cli.app import main

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Called:
    """What became of one call."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """Stdout, which holds one JSON object and nothing else."""
        return json.loads(self.out)

    @property
    def text(self) -> str:
        """All that a person sees."""
        return self.out + self.err


def safeconvert(*arguments: object, cwd: Path | None = None, **environment: str) -> Called:
    """Run `safeconvert` with arguments, in this process; its workers are processes as always."""
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    with (
        _surroundings(cwd, environment),
        _own_modules(),
        patch.object(sys, "argv", ["safeconvert", *map(str, arguments)]),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
            code = 0
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    return Called(code, *(_text(stream) for stream in (out, err)))


def safeconvert_process(*arguments: object, cwd: Path | None = None, **environment: str) -> Called:
    """Run `safeconvert` with arguments in another process, as a user does."""
    done = subprocess.run(
        [sys.executable, "-m", "safeconvert", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        check=False,
    )
    return Called(done.returncode, done.stdout, done.stderr)


@contextlib.contextmanager
def _own_modules() -> Iterator[None]:
    """Forget what was imported from neither the checkout nor the interpreter: another run's files have the same names."""
    path, known = [*sys.path], {*sys.modules}
    try:
        yield
    finally:
        sys.path[:] = path
        lasting = (ROOT, sys.prefix, sys.base_prefix)
        for name in {*sys.modules} - known:
            file = getattr(sys.modules[name], "__file__", None)
            if file and not any(Path(file).is_relative_to(folder) for folder in lasting):
                del sys.modules[name]


@contextlib.contextmanager
def _surroundings(cwd: Path | None, environment: dict[str, str]) -> Iterator[None]:
    """What a process of its own would have for itself: folder, variables, what follows from them, and handlers of signals."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    variables = {"PYTHONPATH": str(ROOT), **environment}
    temporary = patch.object(tempfile, "tempdir", None if "TMPDIR" in environment else tempfile.tempdir)
    with contextlib.chdir(cwd or Path.cwd()), patch.dict(os.environ, variables), temporary:
        os.environ.pop("PYTEST_CURRENT_TEST", None)
        try:
            yield
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)


def _text(stream: io.TextIOWrapper) -> str:
    stream.flush()
    return stream.buffer.getvalue().decode()  # type: ignore[attr-defined]
