"""Which files of a folder are shards of one set of samples."""

from __future__ import annotations

import os
from pathlib import Path

from safeconvert.core.files import is_folder
from safeconvert.errors import UnusableInput
from safeconvert.inputs.images import SUFFIXES, relative_name

TARS = ".tar"
"""Ending of WebDataset shards."""
TABLES = (".parquet", ".arrow", ".feather")
"""Endings of Parquet and Arrow files."""


def shard_files(path: Path) -> tuple[Path, ...]:
    """The shards at a path: the file itself, or those of a folder and the folders in it, by their names; () where there are none.

    Raises:
        UnusableInput: a folder that holds shards and images, or shards of two kinds.
    """
    if not is_folder(path):
        return (path,) if path.suffix in (TARS, *TABLES) else ()
    found: list[Path] = []
    images = False
    for place, folders, names in os.walk(path):
        folders[:] = [name for name in folders if not name.startswith(".")]
        files = [Path(place, name) for name in names if not name.startswith(".")]
        found += [file for file in files if file.suffix in (TARS, *TABLES) and file.is_file()]
        images = images or any(file.suffix.lower() in SUFFIXES for file in files)
    kinds = sorted({file.suffix for file in found} | ({"images"} if images else set()))
    if found and len(kinds) > 1:
        raise UnusableInput(
            f"--inputs {path}: holds {' and '.join(kinds)}: which are the inputs?", "name a folder of one kind"
        )
    return tuple(sorted(found, key=lambda file: relative_name(path, file)))
