"""The real adapter of the same name, whose target is then spoilt."""

from __future__ import annotations

from pathlib import Path

from safeconvert.core.resources import data_folder
from safeconvert.workers._worker import load_adapter


def real(name: str):
    """adapter.py of the real converter."""
    return load_adapter(str(Path(data_folder("adapters")) / name))
