"""What a worker is asked about itself."""

from __future__ import annotations

import gc
import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def look(names: Sequence[str]) -> dict[str, Any]:
    """Its numbers, its program, which of the named modules it has, and whether it collects garbage."""
    program = Path(sys.argv[0]).name
    loaded = [name for name in names if name in sys.modules]
    numbers = {"pid": os.getpid(), "parent": os.getppid()}
    return {**numbers, "program": program, "modules": loaded, "collects": gc.isenabled() and gc.get_freeze_count() > 0}


def leave(text: str) -> None:
    """Leave something in the process, as code in a model might."""
    sys.modules["onnx"].left_by_a_test = text  # type: ignore[attr-defined]


def found() -> str | None:
    """What was left."""
    return getattr(sys.modules.get("onnx"), "left_by_a_test", None)


def end(number: int, code: int) -> None:
    """End by a signal, or with an exit code."""
    if number:
        signal.raise_signal(signal.Signals(number))
    os._exit(code)


def place() -> dict[str, str]:
    """Where it works."""
    return {"folder": str(Path.cwd()), "temporary": tempfile.gettempdir(), "home": os.environ["HOME"]}


def variable(name: str) -> str | None:
    """One of its variables."""
    return os.environ.get(name)
