"""Where the files that come with the package lie."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


def presets_path() -> Path:
    """The file of preprocessing presets."""
    return data_folder("configs") / "preprocessing.toml"


def data_folder(name: str) -> Path:
    """`adapters`, `configs` or `docs`: beside the package in a checkout, inside it in an installed wheel."""
    bundled = _PACKAGE / "_data" / name
    return bundled if bundled.is_dir() else _PACKAGE.parent / name
