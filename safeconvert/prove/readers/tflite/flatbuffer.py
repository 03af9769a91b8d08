"""Records of a flatbuffer by the numbers of their fields, as a schema counts them from 0.

A table begins with the distance to its list of field offsets, 16 bits each, behind the list's own length and the table's.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np

from safeconvert.prove.kernel.terms import Array

BYTE, BOOL, INT, UINT, LONG, FLOAT = "<b", "<?", "<i", "<I", "<Q", "<f"
_HEAD = 4  # bytes of the two lengths in front of the list


@dataclass(frozen=True)
class Record:
    """One table of a flatbuffer, at a place in bytes. What is read outside of the file raises struct.error or ValueError."""

    content: bytes
    place: int

    def value(self, number: int, kind: str, default: Any = 0) -> Any:
        """A number; the default where it is left out."""
        at = self._at(number)
        return self._number(kind, at) if at else default

    def record(self, number: int) -> Record | None:
        """Another record, or None."""
        at = self._at(number)
        return Record(self.content, at + self._number(UINT, at)) if at else None

    def text(self, number: int) -> str:
        """Text; "" where it is left out."""
        return self.numbers(number, "u1").tobytes().decode()

    def records(self, number: int) -> list[Record]:
        """A list of records."""
        start = self._list(number)[0]
        places = [start + 4 * n for n in range(len(self.numbers(number, "<u4")))]
        return [Record(self.content, place + self._number(UINT, place)) for place in places]

    def numbers(self, number: int, kind: str = "<i4") -> Array:
        """A list of numbers of one type."""
        start, count = self._list(number)
        end = start + count * np.dtype(kind).itemsize
        if not 0 <= start <= end <= len(self.content):
            raise ValueError("a list ends beyond the file")
        return np.frombuffer(self.content[start:end], kind)

    def _at(self, number: int) -> int:
        """Where a field lies; 0 where it is left out."""
        fields = self.place - self._number(INT, self.place)
        if _HEAD + 2 * number >= self._number("<H", fields):
            return 0
        offset = self._number("<H", fields + _HEAD + 2 * number)
        return self.place + offset if offset else 0

    def _list(self, number: int) -> tuple[int, int]:
        """Where a list starts, and how many it holds."""
        at = self._at(number)
        start = at + self._number(UINT, at) if at else 0
        return (start + 4, self._number(UINT, start)) if at else (0, 0)

    def _number(self, kind: str, place: int) -> Any:
        if place < 0:
            raise ValueError("a record begins before the file")
        return struct.unpack_from(kind, self.content, place)[0]


def root(content: bytes) -> Record:
    """The root of a flatbuffer."""
    return Record(content, struct.unpack_from(UINT, content)[0])
