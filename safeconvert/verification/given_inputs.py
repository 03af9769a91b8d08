"""Inputs that the user gave, copied before they are read: what is hashed, run and certified is the copy."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from safeconvert.core.files import clone, is_folder
from safeconvert.errors import UnusableInput
from safeconvert.inputs.images import list_images, relative_name
from safeconvert.inputs.labels import LABELS
from safeconvert.inputs.shards import shard_files
from safeconvert.workers.run import Run


@dataclass(frozen=True)
class GivenFiles:
    """A file or folder of inputs.

    Attributes:
        path: where the user has it.
        copy: what is read in its place.
    """

    path: Path
    copy: Path

    @property
    def in_place(self) -> bool:
        """Whether they are read where they are."""
        return self.path == self.copy


def copied_inputs(run: Run, path: Path, limit: int | None) -> GivenFiles:
    """A copy of a file, or of the shards or the first images of a folder, and of their labels; what is neither is read where it is.

    What would take more than half of the space that is left is read where it is too (`read_in_place`).

    Raises:
        UnusableInput: it cannot be read, or there is no space for the copy.
    """
    shards = shard_files(path)
    if is_folder(path):
        copy = run.kept("given") / (path.absolute().name or "inputs")
        copy.mkdir()
        files = [*(shards or list_images(path)[:limit]), *_labels(path)]
    elif path.is_file():
        copy = run.kept("given") / path.name
        files = [path, *_labels(path.parent)]
    else:
        return GivenFiles(path, path)
    if sum(file.stat().st_size for file in files) > free_space(copy.parent) // 2:
        return read_in_place(run, path, limit)
    for file in files:
        destination = copy / relative_name(path, file) if is_folder(path) else copy.parent / file.name
        try:
            destination.parent.mkdir(parents=True, exist_ok=True)
            clone(file, destination)
        except OSError as error:
            raise UnusableInput(
                f"--inputs {file}: cannot be copied to {destination.parent}: {error.strerror}",
                "free some space, or set TMPDIR to another disk",
            ) from error
    return GivenFiles(path, copy)


def free_space(folder: Path) -> int:
    """Bytes that are left on a folder's disk."""
    return shutil.disk_usage(folder).free


def read_in_place(run: Run, path: Path, limit: int | None) -> GivenFiles:
    """Inputs that are read where they are, since only a part of them is, or they are too large: what is read is hashed, and read again at
    the end and compared."""
    return GivenFiles(path, path)


def _labels(folder: Path) -> list[Path]:
    """The file of labels in a folder, where there is one."""
    return [folder / LABELS] if (folder / LABELS).is_file() else []


@contextmanager
def named_as_given(files: GivenFiles) -> Iterator[None]:
    """Have what is wrong with a copy name the file or folder that was given."""
    try:
        yield
    except UnusableInput as error:
        message = error.message.replace(str(files.copy), str(files.path))
        raise UnusableInput(message, error.advice, error.log) from error
