"""What a worker runs for `tests.programs`: a Python file, as `python FILE ARGUMENTS` would."""

from __future__ import annotations

import contextlib
import io
import runpy
import sys
from collections.abc import Sequence


def run(program: str, arguments: Sequence[str], search: Sequence[str]) -> str:
    """Run a file to its end; what it printed."""
    sys.argv = [program, *arguments]
    sys.path[:0] = search
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        runpy.run_path(program, run_name="__main__")
    return printed.getvalue()
