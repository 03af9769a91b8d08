"""Zip archives: members left out, doubled, renamed, changed by what they hold, and directories that lie about them."""

from __future__ import annotations

import io
import warnings
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

from .plain import Mutator, flipped, text

_DAMAGED = (zipfile.BadZipFile, zlib.error, ValueError, OSError, RuntimeError, NotImplementedError, EOFError)
_BOMB = bytes(4 << 20)


@dataclass(frozen=True)
class Member:
    """One member: its name, content, and whether it is compressed."""

    name: str
    content: bytes
    method: int


def mutator(of_member: Callable[[str], Mutator]) -> Mutator:
    """Mutates an archive; what is none is flipped.

    Args:
        of_member: what mutates the content of a member of this name.
    """

    def run(data: bytes, random: Random) -> bytes:
        try:
            members = read(data)
        except _DAMAGED:
            return flipped(data, random)
        kind = random.random()
        if not members or kind < 0.12:
            return _headers(data, random)
        if kind < 0.7:
            place = random.randrange(len(members))
            member = members[place]
            members[place] = replace(member, content=of_member(member.name)(member.content, random))
        else:
            _members(members, random)
        return written(members)

    return run


def read(data: bytes) -> list[Member]:
    """The members in their order. Raises what zipfile raises."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return [Member(info.filename, archive.read(info), info.compress_type) for info in archive.infolist()]


def written(members: list[Member]) -> bytes:
    """An archive of these members, also where two have one name."""
    made = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(made, "w") as archive:
        warnings.simplefilter("ignore", UserWarning)
        for member in members:
            info = zipfile.ZipInfo(member.name)
            info.filename = member.name  # ZipInfo cuts a name at its first null byte
            info.compress_type = member.method
            archive.writestr(info, member.content)
    return made.getvalue()


def _members(members: list[Member], random: Random) -> None:
    place = random.randrange(len(members))
    member = members[place]
    match random.randrange(9):
        case 0:
            del members[place]
        case 1:
            members.append(
                replace(member, content=random.choice((member.content, b"", flipped(member.content, random))))
            )
        case 2:
            members[place] = replace(member, name=_name(member.name, members, random))
        case 3:
            members.append(replace(member, name=_name(member.name, members, random)))
        case 4:
            other = random.randrange(len(members))
            members[place], members[other] = (
                replace(member, content=members[other].content), replace(members[other], content=member.content),
            )  # fmt: skip
        case 5:
            members[place] = replace(member, content=_BOMB, method=zipfile.ZIP_DEFLATED)
        case 6:
            members[place] = replace(
                member,
                method=random.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)),
            )
        case 7:
            members[place] = replace(member, content=b"")
        case _:
            random.shuffle(members)


def _name(name: str, members: list[Member], random: Random) -> str:
    """Another name: a path that leads elsewhere, another member's, or the same for readers that fold names."""
    path = text(random, [one.name for one in members])[:60_000]
    return random.choice(
        (path, f"{path}/{name}", name.upper(), name.replace("/", "\\"), f"./{name}", f"{name}/", name.split("/")[-1])
    )


def _headers(data: bytes, random: Random) -> bytes:
    """A local header, an entry of the central directory or the directory's end, with a wrong number or flag."""
    mark = random.choice((b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"))
    places = [place for place in range(len(data) - 4) if data[place : place + 4] == mark] if len(data) < 1 << 20 else []
    if not places:
        return flipped(data, random)
    changed = bytearray(data)
    place = random.choice(places) + 4 + random.randrange(min(42, 18 if mark == b"PK\x05\x06" else 26))
    value = random.choice((b"\0", b"\1", b"\xff\xff", b"\xff\xff\xff\xff", b"\x08", b"\x63\0", random.randbytes(2)))
    changed[place : place + len(value)] = value
    return bytes(changed)
