"""Messages of protocol buffers by the numbers of their fields."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from safeconvert.prove.kernel.terms import Array

Field = int | bytes


def varint(content: bytes, at: int) -> tuple[int, int]:
    """A number in groups of seven bits, and where it ends. Raises IndexError or ValueError where there is none."""
    value = shift = 0
    while True:
        byte = content[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
        if shift > 63:
            raise ValueError("a number of more than 64 bits")


@dataclass(frozen=True)
class Message:
    """One message; fields that are left out are 0, "" or empty."""

    content: bytes

    @cached_property
    def fields(self) -> Mapping[int, list[Field]]:
        """What each field holds, in order; numbers of 32 and 64 bits as their bytes."""
        found: dict[int, list[Field]] = {}
        at = 0
        while at < len(self.content):
            key, at = varint(self.content, at)
            value: Field
            match key & 7:
                case 0:
                    value, at = varint(self.content, at)
                case 1 | 5 as width:
                    size = 8 if width == 1 else 4
                    value, at = self.content[at : at + size], at + size
                case 2:
                    size, at = varint(self.content, at)
                    value, at = self.content[at : at + size], at + size
                case other:
                    raise ValueError(f"a field of the kind {other}")
            if at > len(self.content):
                raise ValueError("a field ends beyond its message")
            found.setdefault(key >> 3, []).append(value)
        return found

    def bytes(self, number: int) -> bytes:
        """Bytes; the last where there are several."""
        value = self.fields.get(number, [b""])[-1]
        if not isinstance(value, bytes):
            raise ValueError("a number in place of bytes")
        return value

    def text(self, number: int) -> str:
        """Text."""
        return self.bytes(number).decode()

    def integer(self, number: int) -> int:
        """A number with a sign."""
        value = self.fields.get(number, [0])[-1]
        if not isinstance(value, int):
            raise ValueError("bytes in place of a number")
        return value - (1 << 64) if value >> 63 else value

    def real(self, number: int) -> float:
        """A number of float32."""
        return float(struct.unpack("<f", self.bytes(number))[0]) if number in self.fields else 0.0

    def messages(self, number: int) -> list[Message]:
        """Messages, in order."""
        return [Message(value) for value in self.fields.get(number, []) if isinstance(value, bytes)]

    def message(self, number: int) -> Message:
        """A message; an empty one where it is left out."""
        return Message(self.bytes(number))

    def mapped(self, number: int) -> dict[str, Message]:
        """A map from text to messages."""
        return {entry.text(1): entry.message(2) for entry in self.messages(number)}

    def texts(self, number: int) -> list[str]:
        """Texts, in order."""
        return [value.decode() for value in self.fields.get(number, []) if isinstance(value, bytes)]

    def integers(self, number: int) -> list[int]:
        """Numbers with signs, packed or not."""
        found = []
        for value in self.fields.get(number, []):
            at = 0
            if isinstance(value, int):
                found.append(value)
                continue
            while at < len(value):
                one, at = varint(value, at)
                found.append(one)
        return [value - (1 << 64) if value >> 63 else value for value in found]

    def reals(self, number: int) -> Array:
        """Numbers of float32, packed or not."""
        return np.frombuffer(b"".join(v for v in self.fields.get(number, []) if isinstance(v, bytes)), "<f4")
