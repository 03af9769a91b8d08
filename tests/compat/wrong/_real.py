"""The real adapter of the same name, whose target is then spoilt."""

from __future__ import annotations

import sys
from pathlib import Path

from safeconvert.core.resources import data_folder


def real(name: str):
    """adapter.py of the real converter."""
    worker = sys.modules["__main__"]
    return worker.load_adapter(str(Path(data_folder("adapters")) / name))
