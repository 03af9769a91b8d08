"""WebDataset shards: tar files in which neighbouring members of one name are one sample (`0001.jpg`, `0001.cls`).

Members are read where they lie and never extracted, so that nothing is written anywhere. Compressed archives are refused: they cannot be
read in place, and a small one may unpack to any size.
"""

from __future__ import annotations

import re
import tarfile
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, cast

from safeconvert.errors import UnusableInput
from safeconvert.inputs.images import SUFFIXES
from safeconvert.inputs.records import Field, npy_array, require_small

_HEADER = 1 << 20  # bytes of one header, also of an extended one
_NONE = -(1 << 62)  # stands for no label
_LABEL = re.compile(rb"\s*(-?[0-9]{1,18})\s*")


@dataclass(frozen=True)
class _Member:
    """One member: which sample it is of, its field, and where its bytes lie."""

    key: str
    field: str
    offset: int
    size: int


class TarShards:
    """Samples of shards; three numbers are kept of each, and none of its bytes.

    Args:
        files: the shards in order.
        limit: samples that are looked for at most; None for all.

    Raises:
        UnusableInput: damaged or compressed, a member that is no plain file or lies outside, or samples of different fields.
    """

    def __init__(self, files: Sequence[Path], limit: int | None) -> None:
        """Read the headers of all members."""
        self.files = tuple(files)
        self.fields: tuple[str, ...] = ()
        self._places = array("q")  # of each sample: the shard, then an offset and a size a field
        self._labels = array("q")
        for number, file in enumerate(self.files):
            for key, members in _samples(file):
                if limit is not None and self.count >= limit:
                    return
                self._add(number, file, key, members)

    @property
    def count(self) -> int:
        """How many samples there are."""
        return len(self._labels)

    @property
    def images(self) -> bool:
        """Whether each is an image."""
        return any(_is_image(field) for field in self.fields)

    @property
    def labels(self) -> Sequence[int | None] | None:
        """Of `.cls` members."""
        found = [None if label == _NONE else label for label in self._labels]
        return found if any(label is not None for label in found) else None

    def read(self, start: int, stop: int) -> list[Mapping[str, Field]]:
        """Samples start..stop; the bytes of an image, or arrays by what stands before `.npy`."""
        found: list[Mapping[str, Field]] = []
        width = 1 + 2 * len(self.fields)
        opened: dict[int, IO[bytes]] = {}
        try:
            for number in range(start, stop):
                shard, *places = self._places[number * width : (number + 1) * width]
                file = self.files[shard]
                opened = opened if shard in opened else _only(opened, shard, file)
                found.append(
                    {
                        _array_name(field): _content(opened[shard], file, number, field, *places[2 * i : 2 * i + 2])
                        for i, field in enumerate(self.fields)
                    }
                )
        except OSError as error:
            raise UnusableInput(f"--inputs {file}: cannot be read: {error.strerror}") from error
        finally:
            for one in opened.values():
                one.close()
        return found

    def _add(self, number: int, file: Path, key: str, members: Mapping[str, _Member]) -> None:
        held = tuple(field for field in members if _is_image(field) or _is_array(field))
        if len([field for field in held if _is_image(field)]) > 1 or len({_is_image(field) for field in held}) > 1:
            raise UnusableInput(
                f"--inputs {file}: {key} holds {', '.join(held)}: which is the model's input?",
                "keep one image, or arrays alone (.npy, or NAME.npy for each input)",
            )
        if not held:
            raise UnusableInput(
                f"--inputs {file}: {key} holds neither an image nor an .npy",
                f"images end in {', '.join(sorted(SUFFIXES))}",
            )
        self.fields = self.fields or held
        if {_array_name(field) for field in held} != {_array_name(field) for field in self.fields}:
            raise UnusableInput(
                f"--inputs {file}: {key} holds {', '.join(held)}, and the first sample {', '.join(self.fields)}"
            )
        by_name = {_array_name(field): members[field] for field in held}
        self._places.append(number)
        for member in (by_name[_array_name(field)] for field in self.fields):
            self._places.extend((member.offset, member.size))
        label = members.get("cls")
        self._labels.append(_NONE if label is None else _label(file, label))


def _samples(file: Path) -> Iterator[tuple[str, dict[str, _Member]]]:
    """The members of each sample by field, sample by sample."""
    key, found = "", dict[str, _Member]()
    for member in _members(file):
        if member.key != key or member.field in found:
            if found:
                yield key, found
            key, found = member.key, {}
        found[member.field] = member
    if found:
        yield key, found


def _members(file: Path) -> Iterator[_Member]:
    """The plain files of an archive, one after the other."""
    try:
        with file.open("rb") as raw, tarfile.open(fileobj=cast("IO[bytes]", _Headers(raw, file)), mode="r:") as archive:
            end = 0
            while (info := archive.next()) is not None:
                vars(archive)["members"] = []  # tarfile keeps all that it has seen
                end = max(end, info.offset_data + -(-info.size // 512) * 512)
                if info.isdir():
                    continue
                _require_plain(file, info)
                path = PurePosixPath(info.name)
                stem, _, field = path.name.partition(".")
                if stem and field:
                    require_small(info.size, f"--inputs {file}: {info.name}")
                    yield _Member(str(path.parent / stem), field, info.offset_data, info.size)
            raw.seek(end)
            if raw.read(512).strip(b"\0"):
                raise tarfile.ReadError(f"no header at byte {end}")
    except (tarfile.TarError, EOFError, ValueError, OverflowError, RecursionError) as error:
        advice = (
            "uncompress it: shards are read in place" if _compressed(file) else "take it again from where it was made"
        )
        raise UnusableInput(f"--inputs {file}: no tar file, or a damaged one: {error}", advice) from error
    except OSError as error:
        raise UnusableInput(f"--inputs {file}: cannot be read: {error.strerror or error}") from error


def _require_plain(file: Path, info: tarfile.TarInfo) -> None:
    """Raise UnusableInput for a link, a device, a file with holes, or a name that leads outside."""
    name = PurePosixPath(info.name)
    if not info.isreg() or info.issparse():
        raise UnusableInput(
            f"--inputs {file}: {info.name} is no plain file, but a link, a device or one with holes; refused",
            "take it out of the archive",
        )
    if name.is_absolute() or ".." in name.parts:
        raise UnusableInput(f"--inputs {file}: {info.name} leads outside of the archive; refused", "take it out")


class _Headers:
    """What `tarfile` reads headers from; one that says it is longer than any header is refused before it is read."""

    def __init__(self, file: IO[bytes], path: Path) -> None:
        self._file, self._path = file, path
        self.tell, self.seek = file.tell, file.seek

    def read(self, size: int) -> bytes:
        """The next bytes. Raises UnusableInput."""
        if not 0 <= size <= _HEADER:
            raise UnusableInput(f"--inputs {self._path}: a header of {size} bytes; refused", "no header has 1 MiB")
        return self._file.read(size)


def _only(opened: dict[int, IO[bytes]], shard: int, file: Path) -> dict[int, IO[bytes]]:
    for one in opened.values():
        one.close()
    return {shard: file.open("rb")}


def _content(opened: IO[bytes], file: Path, number: int, field: str, offset: int, size: int) -> Field:
    opened.seek(offset)
    content = opened.read(size)
    if len(content) != size:
        raise UnusableInput(f"--inputs {file}: sample {number} ends early", "take it again from where it was made")
    return npy_array(content, f"--inputs {file}: sample {number}: {field}") if _is_array(field) else content


def _label(file: Path, member: _Member) -> int:
    with file.open("rb") as opened:
        opened.seek(member.offset)
        found = _LABEL.fullmatch(opened.read(min(member.size, 64)))
    if found is None:
        raise UnusableInput(f"--inputs {file}: {member.key}.cls holds no whole number")
    return int(found[1])


def _is_image(field: str) -> bool:
    return PurePosixPath(f"x.{field}").suffix.lower() in SUFFIXES


def _is_array(field: str) -> bool:
    return field == "npy" or field.endswith(".npy")


def _array_name(field: str) -> str:
    """The input that an array is named after; "" for `.npy` alone, and for every image."""
    return field.removesuffix("npy").removesuffix(".") if _is_array(field) else ""


def _compressed(file: Path) -> bool:
    with file.open("rb") as opened:
        return opened.read(6).startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd"))
