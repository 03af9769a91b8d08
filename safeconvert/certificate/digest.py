"""SHA-256 of model files; a folder is hashed as a manifest of its files."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from safeconvert.errors import UnusableInput


@dataclass(frozen=True)
class FileDigest:
    """A file's or folder's digest.

    Attributes:
        path: what was hashed.
        sha256: hex digest.
        kind: `file` or `folder`.
    """

    path: Path
    sha256: str
    kind: str


def digest(path: Path) -> FileDigest:
    """Hash a file, or a folder as the canonical JSON of its sorted (relative path, size, sha256) entries.

    Raises:
        UnusableInput: it cannot be read, it is or holds something other than files and folders (devices, pipes, links
            to folders), or a link in the folder leads out of it.
    """
    try:
        if not path.is_dir():
            _require_plain(path)
            return FileDigest(path, _hash_file(path), "file")
        entries = [
            [file.relative_to(path).as_posix(), file.stat().st_size, _hash_file(file)] for file in plain_files(path)
        ]
    except OSError as error:
        raise UnusableInput(f"{path}: cannot be read: {error.strerror}") from error
    except RuntimeError as error:  # how pathlib reports a link that leads to itself
        raise UnusableInput(f"{path}: holds a link that leads to itself") from error
    entries.sort()
    manifest = json.dumps(entries, separators=(",", ":"), ensure_ascii=True).encode()
    return FileDigest(path, hashlib.sha256(manifest).hexdigest(), "folder")


def plain_files(folder: Path) -> list[Path]:
    """All files in a folder and its folders, sorted.

    Raises:
        UnusableInput: it holds something other than files and folders, or a link that leads out of it.
        OSError, RuntimeError: it cannot be read, or a link leads to itself.
    """
    root = folder.resolve()
    found = []
    for file in sorted(folder.rglob("*")):
        if not file.resolve().is_relative_to(root):
            raise UnusableInput(f"{file}: a link that leads out of the folder")
        if file.is_dir() and not file.is_symlink():
            continue
        _require_plain(file)
        found.append(file)
    return found


def _require_plain(path: Path) -> None:
    """A device or a pipe has no bytes of its own, and reading it may never end."""
    if path.exists() and not path.is_file():
        raise UnusableInput(f"{path}: neither a file nor a folder")


def _hash_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
