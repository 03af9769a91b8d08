"""Inputs that the user gave, copied before they are read: what is hashed, run and certified is the copy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from safeconvert.core.files import clone, is_folder
from safeconvert.errors import UnusableInput
from safeconvert.inputs.images import LABELS, list_images
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


def copied_inputs(run: Run, path: Path, limit: int | None) -> GivenFiles:
    """A copy of an array file, or of the first images of a folder and their labels; what is neither is read where it is.

    Raises:
        UnusableInput: it cannot be read, or there is no space for the copy.
    """
    if is_folder(path):
        copy = run.kept("given") / (path.absolute().name or "inputs")
        copy.mkdir()
        labels = path / LABELS
        files = [*list_images(path)[:limit], *([labels] if labels.is_file() else [])]
    elif path.is_file():
        copy = run.kept("given") / path.name
        files = [path]
    else:
        return GivenFiles(path, path)
    for file in files:
        destination = copy / file.name if is_folder(path) else copy
        try:
            clone(file, destination)
        except OSError as error:
            raise UnusableInput(
                f"--inputs {file}: cannot be copied to {destination.parent}: {error.strerror}",
                "free some space, or set TMPDIR to another disk",
            ) from error
    return GivenFiles(path, copy)


@contextmanager
def named_as_given(files: GivenFiles) -> Iterator[None]:
    """Have what is wrong with a copy name the file or folder that was given."""
    try:
        yield
    except UnusableInput as error:
        message = error.message.replace(str(files.copy), str(files.path))
        raise UnusableInput(message, error.advice, error.log) from error
