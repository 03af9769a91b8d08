"""The nets of `cost.py` that are not in the data folder, made there when they are first asked for."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

HERE = Path(__file__).resolve().parent


def _zoo(name: str, folder: Path) -> Path:
    suffix = ".pt2" if name == "bert" else ".pt"
    path = folder / f"{name}{suffix}"
    if not path.exists():
        subprocess.run([sys.executable, HERE / "zoo_models.py", name, path], check=True)
    return path


NETS: dict[str, Callable[[Path], Path]] = {
    name: partial(_zoo, name) for name in ("bert", "vit_b_32", "convnext_tiny", "swin_t")
}
"""By name, what makes it in a folder."""
