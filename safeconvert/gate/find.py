"""The models and certificates under files and folders, by content. A folder that is a model counts once, as one."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from safeconvert.core.files import is_there
from safeconvert.core.formats import detect
from safeconvert.errors import UnusableInput
from safeconvert.gate.contents import is_model

_SUFFIXES = {".keras", ".h5", ".hdf5", ".tflite", ".onnx", ".pt", ".pt2", ".pth", ".pkl", ".pb", ".pbtxt", ".meta"}
_CERTIFICATE = ".certificate.json"
_SAVED_MODELS = ("saved_model.pb", "saved_model.pbtxt")


@dataclass(frozen=True)
class Found:
    """What lies there.

    Attributes:
        models: files and folders that are models, whatever their names; in order.
        unreadable: files named like a model that are none, and why.
        certificates: in order.
    """

    models: tuple[Path, ...]
    unreadable: tuple[tuple[Path, str], ...]
    certificates: tuple[Path, ...]


def find(paths: Sequence[Path]) -> Found:
    """Look through files and folders, hidden ones too, links followed; only the inside of a Git repository is left out.

    A model file is detected by its content. A file given by itself may also be a certificate, or lie within a SavedModel.

    Raises:
        UnusableInput: a path does not exist, or a folder cannot be read.
    """
    models: dict[Path, None] = {}
    unreadable: dict[Path, str] = {}
    certificates: dict[Path, None] = {}
    for path in (path for destination in paths for path in _paths(destination)):
        if path.name.endswith(_CERTIFICATE):
            certificates[path] = None
            continue
        reason = _reason(path)
        if reason is None:
            models[path] = None
        elif path.is_dir() or path.suffix in _SUFFIXES or path.name in _SUFFIXES:
            unreadable[path] = reason
    return Found(tuple(models), tuple(unreadable.items()), tuple(certificates))


def _paths(destination: Path) -> Iterator[Path]:
    """Files, and folders that are a model."""
    if not is_there(destination):
        raise UnusableInput(f"{destination}: no such file or folder")
    if not destination.is_dir():
        yield next((folder for folder in destination.parents if _is_saved_model(folder)), destination)
        return
    seen: set[str] = set()

    def refuse(error: OSError) -> None:
        raise UnusableInput(f"{error.filename}: cannot be read: {error.strerror}") from error

    for folder, folders, names in os.walk(destination, followlinks=True, onerror=refuse):
        here, real = Path(folder), os.path.realpath(folder)
        if real in seen or _is_saved_model(here):
            folders.clear()
            if real not in seen:
                yield here
            seen.add(real)
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not _is_repository(here / name))
        yield from (here / name for name in sorted(names))


def _is_saved_model(folder: Path) -> bool:
    return any((folder / name).is_file() for name in _SAVED_MODELS)


def _is_repository(folder: Path) -> bool:
    """The inside of a Git repository: its objects are compressed, and no model among them can be loaded."""
    return folder.name == ".git" and (folder / "HEAD").is_file() and (folder / "objects").is_dir()


def _reason(path: Path) -> str | None:
    """Why a file is no model; None where it is one."""
    try:
        found = detect(path)
    except UnusableInput as error:
        return error.message.removeprefix(f"{path.absolute()}: ")
    return None if is_model(found) else f"not the content of a {found.variant} model"
