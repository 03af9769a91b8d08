"""Protobuf messages without their schema: a field of bytes is a message where it parses as one and is no text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

from .plain import INTEGERS, Mutator, flipped, text

_DESCENDS = 0.8
_DEEPEST = 30
_NESTED = 300
_REPEATED = 400
_LARGE = 300  # bytes of a field that is not repeated
_SIZES = {1: 8, 5: 4}
_NAME = re.compile(rb"[ -~]{1,80}")


@dataclass(frozen=True)
class Field:
    """One field.

    Attributes:
        number, wire: of its tag.
        value: a varint, or raw bytes.
        length: what the prefix says where it is not the truth; None where it is.
    """

    number: int
    wire: int
    value: int | bytes
    length: int | None = None


def mutator(words: Sequence[str] = ()) -> Mutator:
    """Mutates one field of a message, however deep; what is no message is flipped.

    Args:
        words: names that mean something in the format: operators, attributes.
    """

    def run(data: bytes, random: Random) -> bytes:
        return flipped(data, random) if random.random() < 0.05 else _within(data, data, random, words)

    return run


def fields_of(data: bytes) -> list[Field] | None:
    """The fields of a message, what is in them unread; None for what is none."""
    fields: list[Field] = []
    position = 0
    while position < len(data):
        tag, position = _varint(data, position)
        number, wire = tag >> 3, tag & 7
        if position < 0 or not 0 < number < 1 << 12:
            return None
        value: int | bytes
        if wire == 0:
            value, position = _varint(data, position)
        else:
            size, position = _varint(data, position) if wire == 2 else (_SIZES.get(wire, -1), position)
            if position < 0 or size < 0 or position + size > len(data):
                return None
            value, position = data[position : position + size], position + size
        if position < 0:
            return None
        fields.append(Field(number, wire, value))
    return fields


def serialised(fields: Sequence[Field]) -> bytes:
    """The inverse of `fields_of`, lies about lengths included."""
    made = bytearray()
    for field in fields:
        value = field.value if isinstance(field.value, bytes) else _encoded(field.value)
        made += _encoded(field.number << 3 | field.wire)
        if field.wire == 2:
            made += _encoded(len(value) if field.length is None else field.length)
        made += value
    return bytes(made)


def _within(message: bytes, whole: bytes, random: Random, words: Sequence[str], depth: int = 0) -> bytes:
    """A message with one field changed, or one field of one of its messages."""
    fields = fields_of(message)
    if not fields:
        return flipped(message, random)
    index = random.randrange(len(fields))
    inner = fields[index].value
    if isinstance(inner, bytes) and _is_message(inner) and depth < _DEEPEST and random.random() < _DESCENDS:
        fields[index] = replace(fields[index], value=_within(inner, whole, random, words, depth + 1))
    else:
        _mutate(fields, index, random)
        if index < len(fields) and random.random() < 0.6:
            fields[index] = _revalued(fields[index], whole, random, words)
    return serialised(fields)


def _mutate(fields: list[Field], index: int, random: Random) -> None:
    """One of a message's fields left out, doubled, moved, nested, or with another number, type or length; or none."""
    field = fields[index]
    match random.randrange(18):
        case 0:
            del fields[index]
        case 1:
            fields.insert(index, field)
        case 2:
            other = random.randrange(len(fields))
            fields[index], fields[other] = fields[other], field
        case 3:
            fields[index] = replace(field, number=random.choice((1, 2, 3, 5, 7, 15, 16, 19, 100, 4000)))
        case 4:
            values: dict[int, int | bytes] = {0: 1, 1: random.randbytes(8), 2: b"x", 5: b"abcd"}
            wire = random.choice(list(values))
            fields[index] = Field(field.number, wire, values[wire])
        case 5 if field.wire == 2:
            fields[index] = replace(
                field, length=random.choice((0, 1, 1 << 20, (1 << 31) - 1, (1 << 32) - 1, (1 << 63) - 1))
            )
        case 6:
            fields[index] = replace(random.choice(fields), number=field.number)
        case 7 if field.wire == 2:
            for _ in range(_NESTED):
                field = replace(field, value=serialised([field]))
            fields[index] = field
        case 8 if isinstance(field.value, int) or len(field.value) < _LARGE:
            fields[index:index] = [field] * _REPEATED


def _revalued(field: Field, whole: bytes, random: Random, words: Sequence[str]) -> Field:
    """Another value of the same type: another number, or a text that stands elsewhere in the file or that means something."""
    if isinstance(field.value, int):
        return replace(field, value=random.choice(INTEGERS) & ((1 << 64) - 1))
    if field.wire == 2 and _is_text(field.value) and random.random() < 0.8:
        known = words if words and random.random() < 0.4 else [name.decode() for name in _NAME.findall(whole)]
        return replace(field, value=text(random, known).encode("utf-8", "replace"))
    return replace(field, value=flipped(field.value, random))


def _is_message(raw: bytes) -> bool:
    return bool(raw) and not _is_text(raw) and fields_of(raw) is not None


def _is_text(raw: bytes) -> bool:
    return raw.isascii() and raw.decode("ascii").isprintable()


def _varint(data: bytes, position: int) -> tuple[int, int]:
    """A number, and where the next begins; -1 where it is cut off or too long."""
    value = 0
    for count in range(10):
        if position >= len(data):
            return 0, -1
        byte = data[position]
        value |= (byte & 0x7F) << (7 * count)
        position += 1
        if not byte & 0x80:
            return value, position
    return 0, -1


def _encoded(value: int) -> bytes:
    made = bytearray()
    while value > 0x7F:
        made.append(value & 0x7F | 0x80)
        value >>= 7
    made.append(value)
    return bytes(made)
