"""Pickles by their opcodes. Nothing is unpickled."""

from __future__ import annotations

import pickletools
from random import Random

from .plain import INTEGERS, flipped

_GLOBALS = (
    b"cposix\nsystem\n",
    b"cbuiltins\neval\n",
    b"ctorch\nload\n",
    b"c__builtin__\ngetattr\n",
    b"ctorch._utils\n_rebuild_tensor_v2\n",
)
_ENDLESS = b"(" * 5000


def mutate(data: bytes, random: Random) -> bytes:
    """One opcode left out, doubled, moved, or with another argument; what is no pickle is flipped."""
    try:
        starts = [position for _, _, position in pickletools.genops(data)]
    except Exception:  # noqa: BLE001 - pickletools raises anything
        return flipped(data, random)
    ends = [*starts[1:], len(data)]
    pieces = [data[start:end] for start, end in zip(starts, ends, strict=True)]
    place = random.randrange(len(pieces))
    piece = pieces[place]
    match random.randrange(8):
        case 0:
            del pieces[place]
        case 1:
            pieces.insert(place, piece)
        case 2:
            pieces[place] = random.choice(pieces)
        case 3:
            pieces.insert(place, random.choice(_GLOBALS))
        case 4:
            number = random.choice(INTEGERS) & 0xFFFFFFFF
            pieces[place] = b"J" + number.to_bytes(4, "little")
        case 5:
            pieces.insert(
                place, random.choice((b"R", b"o", b"b", b"0", b"2", b"t", b"}", b"N", b"q\0", b"h\xff", _ENDLESS))
            )
        case 6:
            pieces[place] = piece[:1] + flipped(piece[1:], random)
        case _:
            return flipped(data, random)
    return b"".join(pieces)
