"""The zip archives of torch, read by torch's own reader: what is inspected is what is loaded, byte by byte.

Another reader of zip files may see other members in the same file (two directories, two members of one name, data before the first),
so that inspecting with one and loading with another inspects nothing. torch's reader runs nothing; it only reads.
"""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from safeconvert.errors import UnusableInput

_LARGEST_MEMBER = 1 << 30  # bytes of a member that is read as text or pickle
_SPREAD = 64  # times the file that all members together may be
_SLACK = 64 << 20


@dataclass(frozen=True)
class Archive:
    """An opened archive.

    Attributes:
        path: the file.
        reader: torch's reader, or one with its three methods.
        names: its members, without the folder in which torch puts them.
        advice: what to try where it is refused.
    """

    path: str
    reader: Any
    names: frozenset[str]
    advice: str

    def read(self, member: str) -> bytes:
        """A member's bytes. Raises UnusableInput where it is missing, damaged or far too large."""
        if self.size(member) > _LARGEST_MEMBER:
            raise self.refused(member, f"larger than {_LARGEST_MEMBER >> 20} MiB")
        try:
            return bytes(self.reader.get_record(member))
        except RuntimeError as error:
            raise UnusableInput(f"{self.path}: {member} cannot be read: {_first(error)}") from error

    def size(self, member: str) -> int:
        """A member's bytes once unpacked."""
        try:
            return int(self.reader.get_record_size(member))
        except RuntimeError as error:
            raise UnusableInput(f"{self.path}: {member} cannot be read: {_first(error)}") from error

    def refused(self, member: str, reason: str) -> UnusableInput:
        """The refusal of a member."""
        return UnusableInput(f"{self.path}: {member}: {reason}; refused", self.advice)


class _FlatReader:
    """An archive without a folder of its own, as torch 2.7 wrote ExportedPrograms; torch reads it with Python's zipfile, as this does."""

    def __init__(self, path: str) -> None:
        self._archive = zipfile.ZipFile(path)

    def get_all_records(self) -> list[str]:
        """The members' names, each as often as it occurs."""
        return self._archive.namelist()

    def get_record_size(self, name: str) -> int:
        """A member's bytes once unpacked."""
        return self._archive.getinfo(name).file_size

    def get_record(self, name: str) -> bytes:
        """A member's bytes. Raises RuntimeError as torch's reader does."""
        try:
            return self._archive.read(name)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
            raise RuntimeError(str(error)) from error


def open_flat_archive(path: str, advice: str) -> Archive:
    """Open an archive whose members lie in no folder. Raises UnusableInput as `open_archive` does."""
    try:
        return _checked(path, _FlatReader(path), advice)
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise UnusableInput(f"{path}: a damaged archive: {_first(error)}", "make or download the file again") from error


def open_archive(path: str, advice: str) -> Archive:
    """Open an archive without reading what its members mean.

    Raises:
        UnusableInput: damaged, two members of one name, or members that unpack to far more than the file.
    """
    try:
        reader = torch._C.PyTorchFileReader(path)
    except (RuntimeError, UnicodeDecodeError) as error:
        raise UnusableInput(f"{path}: a damaged archive: {_first(error)}", "make or download the file again") from error
    with Path(path).open("rb") as file:
        if file.read(8)[4:] == b"PTMF":
            raise UnusableInput(f"{path}: an archive that begins as a mobile module does; refused", advice)
    return _checked(path, reader, advice)


def _checked(path: str, reader: Any, advice: str) -> Archive:
    try:
        names = list(reader.get_all_records())
    except (RuntimeError, UnicodeDecodeError) as error:
        raise UnusableInput(f"{path}: a damaged archive: {_first(error)}", "make or download the file again") from error
    archive = Archive(path, reader, frozenset(names), advice)
    folded = [name.lower() for name in names]
    twice = (
        next((name for name in names if folded.count(name.lower()) > 1), "") if len(set(folded)) < len(folded) else ""
    )
    if twice:
        raise archive.refused(twice, "two members have this name")
    if sum(archive.size(name) for name in names) > _SPREAD * Path(path).stat().st_size + _SLACK:
        raise UnusableInput(f"{path}: its members unpack to more than {_SPREAD} times the file; refused", advice)
    return archive


def _first(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
