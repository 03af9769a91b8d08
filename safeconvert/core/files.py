"""Files: whether they are there, copies of them, and text written whole or not at all."""

from __future__ import annotations

import fcntl
import os
import shutil
import uuid
from pathlib import Path

from safeconvert.errors import UnusableInput

_CLONE = 0x40049409  # FICLONE: a copy that shares its blocks until one side is written


def is_there(path: Path) -> bool:
    """Whether a file or folder is there; False, and no error, for a name that none can have, and where nobody may look."""
    return os.path.exists(path)  # noqa: PTH110 - Path.exists raises for a name that is too long


def is_folder(path: Path) -> bool:
    """Whether a folder is there; as `is_there`."""
    return os.path.isdir(path)  # noqa: PTH112 - as above


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files in a folder. Raises OSError."""
    return sum(file.stat().st_size for file in (path.rglob("*") if path.is_dir() else (path,)) if file.is_file())


def clone(path: Path, target: Path) -> None:
    """Copy a file's content; on a file system that can, without taking space for it. Raises OSError."""
    with path.open("rb") as source, target.open("wb") as copy:
        try:
            fcntl.ioctl(copy.fileno(), _CLONE, source.fileno())
        except OSError:  # another disk, or a file system that shares no blocks
            shutil.copyfileobj(source, copy, 1 << 20)


def require_ending(flag: str, path: Path, ending: str) -> None:
    """Raise UnusableInput for a name with another ending, so that no model and no certificate is overwritten by a slip."""
    if not path.name.endswith(ending) or path.name.endswith(".certificate.json"):
        raise UnusableInput(f"{flag} {path}: such a file ends in {ending}", f"name it {path.stem}{ending}")


def write_text(path: Path, text: str) -> None:
    """Write a file in one rename; what was there before stays where that fails. Raises UnusableInput."""
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.partial")
    try:
        partial.write_text(text, encoding="utf-8")
        os.replace(partial, path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise UnusableInput(f"{path}: cannot be written: {error.strerror}", "name another path") from error
