"""Copies of what workers made, in a folder that workers read and cannot write."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from safeconvert.certificate.digest import plain_files
from safeconvert.conversion.models import Export
from safeconvert.core.files import clone, size_of
from safeconvert.errors import UnusableInput
from safeconvert.workers.run import Run

_LARGE = 1 << 28  # bytes


def sealed_form(run: Run, exported: Export) -> Export:
    """A large ONNX form as a copy, which a target that is the same to the byte can be too; any other as it is.

    Raises:
        UnusableInput: as `sealed_file`.
    """
    path = exported.path
    if path is None or path.is_relative_to(run.copies) or size_of(path.parent) < _LARGE:
        return exported
    return replace(exported, path=sealed_file(run, path, "form"))


def sealed_file(run: Run, path: Path, name: str) -> Path:
    """A file or folder that a worker made, copied with all that lies beside it; where the copy is.

    Args:
        run: the surroundings.
        path: of the file, in a folder of its own.
        name: of the new folder.

    Raises:
        UnusableInput: it holds something other than files and folders, or there is no space.
    """
    folder = run.kept(name)
    for entry in sorted(path.parent.rglob("*")):
        if entry.is_symlink():
            raise UnusableInput(f"{entry.name}: a converter left a link, which is no part of a model")
    for entry in sorted(path.parent.iterdir()):
        copied_to(entry, folder)
    return folder / path.name


def copied_to(path: Path, folder: Path) -> Path:
    """A file or folder in another folder, under its own name. Raises UnusableInput for what cannot be copied."""
    target = folder / path.name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not path.is_dir():
            clone(path, target)
            return target
        for file in plain_files(path):
            destination = target / file.relative_to(path)
            destination.parent.mkdir(parents=True, exist_ok=True)
            clone(file, destination)
        return target
    except OSError as error:
        raise UnusableInput(
            f"{path}: cannot be copied to {folder}: {error.strerror}", "free some space, or set TMPDIR to another disk"
        ) from error
