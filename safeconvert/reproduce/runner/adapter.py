"""Run a packed program in a worker, as `python reproduce.py` does."""

from __future__ import annotations

import contextlib
import io
import runpy
from typing import Any


def run(path: str) -> dict[str, Any]:
    """What a program exits with and prints last. Raises what it raises."""
    printed = io.StringIO()
    code = 0
    with contextlib.redirect_stdout(printed):
        try:
            runpy.run_path(path, run_name="__main__")
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 1
    lines = [line for line in printed.getvalue().splitlines() if "largest difference" in line]
    return {"code": code, "message": lines[-1] if lines else ""}
