"""Open an ExportedProgram without running anything that lies in it.

`torch.export.load` (2.13) evaluates symbolic sizes with sympy's `eval`, executes guards, unpickles sample inputs, and weights and
constants marked `use_pickle`, and loads compiled libraries. Here the archive is read by torch's own reader, each part is checked,
and torch is given the checked parts; the file itself it never opens.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from typing import Any

import torch
from torch._export.serde import schema
from torch._export.serde.serialize import ExportedProgramDeserializer, _dict_to_dataclass
from torch.export.pt2_archive import _package

from safeconvert.errors import UnusableInput

from .archive import Archive, open_archive, open_flat_archive
from .program_schema import Refused, checked

_ADVICE = "make the file again with torch.export.save, of plain tensors, or pass --trust-pickle if you trust whoever made the file"
_LEGACY = "serialized_exported_program.json"
_MODEL = "models/model.json"
_NATIVE = ("data/aotinductor/", "data/executorch/")
_LARGEST_UNSTORED = 1 << 28
_PAYLOAD = re.compile(r"(weight|tensor)_\d+")


def open_program(path: str) -> Any:
    """The ExportedProgram of a `.pt2`, made of checked parts.

    Raises:
        UnusableInput: damaged; or it holds what could only be loaded by running code: the message names member and reason.
    """
    older = _is_older(path)
    archive = open_flat_archive(path, _ADVICE) if older else open_archive(path, _ADVICE)
    native = [name for name in archive.names if name.startswith(_NATIVE) or name.endswith((".so", ".dll", ".dylib"))]
    if native:
        raise archive.refused(native[0], "compiled code, which loading would run")
    try:
        return _legacy(archive) if older else _current(archive)
    except Refused as error:
        raise archive.refused(_LEGACY if older else _MODEL, str(error)) from error


def _is_older(path: str) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return _LEGACY in archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError):
        return False


def _current(archive: Archive) -> Any:
    if _MODEL not in archive.names:
        others = [name for name in archive.names if name.startswith("models/")]
        raise UnusableInput(
            f"{archive.path}: holds no program called model", f"it has {', '.join(others)}" if others else ""
        )
    program = _program(archive, _MODEL)
    reader = _Reader(archive)
    weights = _tensors(archive, reader, "data/weights/", _package._load_state_dict)
    constants = _tensors(archive, reader, "data/constants/", _package._load_constants)
    samples = _unpickled(archive, "data/sample_inputs/model.pt")
    return ExportedProgramDeserializer().deserialize(program, weights, constants, samples)


def _legacy(archive: Archive) -> Any:
    """The layout of torch 2.7 and before."""
    weights, constants, samples = (
        _unpickled(archive, next((n for n in (f"{stem}.pt", f"{stem}.json") if n in archive.names), f"{stem}.pt"))
        for stem in ("serialized_state_dict", "serialized_constants", "serialized_example_inputs")
    )
    return ExportedProgramDeserializer().deserialize(_program(archive, _LEGACY), weights, constants, samples)


def _program(archive: Archive, member: str) -> Any:
    return _dict_to_dataclass(
        schema.ExportedProgram, checked(schema.ExportedProgram, _json(archive, member), "program")
    )


def _json(archive: Archive, member: str) -> Any:
    try:
        return json.loads(archive.read(member))
    except (ValueError, RecursionError) as error:
        raise UnusableInput(f"{archive.path}: {member} is not whole JSON") from error


class _Reader:
    """An archive with the methods by which torch reads weights and constants."""

    def __init__(self, archive: Archive) -> None:
        self.archive_file = archive.reader
        self._archive = archive

    def read_bytes(self, name: str) -> bytes:
        """A member's bytes, within the archive's bounds."""
        return self._archive.read(name)

    def read_string(self, name: str) -> str:
        """A member's text."""
        return self._archive.read(name).decode()

    def get_file_names(self) -> list[str]:
        """The members' names."""
        return sorted(self._archive.names)


def _tensors(archive: Archive, reader: Any, folder: str, load: Any) -> Any:
    """Weights or constants; every payload is raw bytes, or in older files a pickle of nothing but tensors."""
    legacy = f"{folder}model.pt"
    if legacy in archive.names:
        return _unpickled(archive, legacy)
    member = f"{folder}model_{folder.split('/')[1]}_config.json"
    config = checked(schema.PayloadConfig, _json(archive, member), "payload")["config"]
    for name, payload in config.items():
        if payload["use_pickle"] or not payload.get("tensor_meta"):
            raise archive.refused(member, f"{name} is a pickle, which runs code of its own on load")
        if not _PAYLOAD.fullmatch(
            payload["path_name"]
        ):  # torch unpickles custom_obj_0 and opaque_obj_0 whatever the archive declares of them
            raise archive.refused(member, f"{name} lies in {payload['path_name']}, which is no tensor")
        _require_plain(archive, member, name, folder + payload["path_name"], payload["tensor_meta"])
    return load(reader, "model")


def _require_plain(archive: Archive, member: str, name: str, record: str, meta: dict[str, Any]) -> None:
    """Sizes are numbers, and are not far beyond what is stored."""
    dimensions = [*meta["sizes"], *meta["strides"], meta["storage_offset"]]
    if any("as_int" not in one or one["as_int"] < 0 for one in dimensions):
        raise archive.refused(member, f"{name} has a size that is no number")
    count = 1
    for one in meta["sizes"]:
        count *= one["as_int"]
    if record not in archive.names:
        raise UnusableInput(f"{archive.path}: {record}, the data of {name}, is missing")
    stored = archive.size(record)
    if count > max(stored, _LARGEST_UNSTORED) or (count and not stored):
        raise archive.refused(member, f"{name} has {count} elements and {stored} bytes")


def _unpickled(archive: Archive, member: str) -> Any:
    """A pickle of tensors and plain containers."""
    if member not in archive.names:
        raise UnusableInput(f"{archive.path}: {member} is missing")
    data = archive.read(member)
    if not data:
        return {}
    try:
        loaded = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Exception as error:
        named = re.search(r"GLOBAL (\S+)|[Uu]nsupported [^.\n]{1,80}", str(error))
        reason = named.group(1) or named.group() if named else type(error).__name__
        raise archive.refused(member, f"more than tensors is pickled in it ({reason})") from error
    if not isinstance(loaded, dict | tuple):
        raise archive.refused(member, f"a {type(loaded).__name__} stands where torch writes a dict or tuple")
    return loaded
