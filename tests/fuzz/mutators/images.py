"""PNG images by their chunks, with sums that are right again, and JPEG images by their segments."""

from __future__ import annotations

import struct
import zlib
from random import Random

from .plain import INTEGERS, flipped

_PNG = b"\x89PNG\r\n\x1a\n"
_TEXT = b"zTXt"
_BOMB = b"Comment\0\0" + zlib.compress(bytes(16 << 20))


def mutate(data: bytes, random: Random) -> bytes:
    """One chunk or segment changed, moved, left out or added; other images are flipped."""
    if random.random() < 0.1:
        return flipped(data, random)
    if data[:8] == _PNG:
        return _png(data, random)
    return _jpeg(data, random) if data[:2] == b"\xff\xd8" else flipped(data, random)


def _png(data: bytes, random: Random) -> bytes:
    chunks = []
    position = 8
    while position + 12 <= len(data):
        (size,) = struct.unpack_from(">I", data, position)
        chunks.append((data[position + 4 : position + 8], data[position + 8 : position + 8 + size]))
        position += 12 + size
    if not chunks:
        return flipped(data, random)
    place = random.randrange(len(chunks))
    kind, content = chunks[place]
    lie = None
    match random.randrange(8):
        case 0:
            del chunks[place]
        case 1:
            chunks.insert(place, chunks[place])
        case 2:
            chunks[place] = (kind, flipped(content, random))
        case 3:
            chunks[place] = (
                random.choice((b"IHDR", b"IDAT", b"IEND", b"PLTE", b"eXIf", b"fcTL", b"acTL", b"tRNS")),
                content,
            )
        case 4:
            chunks.insert(1, (_TEXT, _BOMB))
        case 5 if kind == b"IHDR":
            width, height = (random.choice(INTEGERS) & 0xFFFFFFFF for _ in range(2))
            depth, colour = random.choice((1, 2, 4, 8, 16, 0, 255)), random.choice((0, 2, 3, 4, 6, 9))
            sizes = random.choice((content[:8], struct.pack(">II", width, height)))
            chunks[place] = (kind, sizes + bytes((depth, colour)) + content[10:])
        case 6:
            lie = place
        case _:
            random.shuffle(chunks)
    made = bytearray(_PNG)
    for number, (name, body) in enumerate(chunks):
        size = random.choice((0, 1, 0x7FFFFFFF, 0xFFFFFFFF)) if number == lie else len(body)
        made += struct.pack(">I", size) + name + body + struct.pack(">I", zlib.crc32(name + body))
    return bytes(made)


def _jpeg(data: bytes, random: Random) -> bytes:
    places = [place for place in range(len(data) - 4) if data[place] == 0xFF and data[place + 1] not in (0, 0xFF)]
    place = random.choice(places)
    size = min(struct.unpack_from(">H", data, place + 2)[0], len(data) - place - 2)
    segment = data[place : place + 2 + size]
    before, after = data[:place], data[place + 2 + size :]
    match random.randrange(4):
        case 0:
            return before + after
        case 1:
            return before + segment * random.choice((2, 30)) + after
        case 2:
            return before + segment[:2] + random.choice((b"\0\0", b"\0\2", b"\xff\xff")) + segment[4:] + after
        case _:
            return before + segment[:4] + flipped(segment[4:], random) + after
