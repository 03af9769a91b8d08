"""Mutations that know nothing of a file's structure, and the values that all the others use."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

Mutator = Callable[[bytes, Random], bytes]

INTEGERS = (
    0, 1, -1, 2, 3, 7, 100, 127, 128, -128, 255, 256, 4096, 32767, 32768, 65535, 65536, 1 << 24, (1 << 31) - 1, 1 << 31,
    -(1 << 31), (1 << 32) - 1, 1 << 32, (1 << 53) + 1, (1 << 63) - 1, 1 << 63, -(1 << 63), (1 << 64) - 1,
)  # fmt: skip
"""Where counts, sizes and signs turn over."""

TEXTS = (
    "", " ", ".", "..", "/", "\\", "*", "../outside", "../../outside", "/etc/hostname", "/proc/self/environ", "/dev/zero",
    "outside/../../outside", "file:///etc/hostname", "C:\\outside", "~/outside", "$HOME", "%s%n", "{0.__class__}", "__class__",
    "__import__('os').system('true')", "a" * 300, "a" * 70_000, "é", "\u202etxt", "\x1b[31m", "\n\n", "\0", "\0outside", "NaN", "-1",
)  # fmt: skip
"""Names and paths that something may take for more than a name."""


def flipped(data: bytes, random: Random) -> bytes:
    """Bytes with one place of them flipped, overwritten, cut out, doubled or moved."""
    if not data:
        return bytes([random.randrange(256)])
    place = random.randrange(len(data))
    length = min(random.choice((1, 1, 2, 4, 8, 64)), len(data) - place)
    before, piece, after = data[:place], data[place : place + length], data[place + length :]
    match random.randrange(8):
        case 0:
            return before + bytes([piece[0] ^ (1 << random.randrange(8))]) + piece[1:] + after
        case 1:
            return before + random.choice((b"\0", b"\xff", b"\x7f", b"\x80")) * length + after
        case 2:
            return before + random.randbytes(length) + after
        case 3:
            return before + after
        case 4:
            return before + piece * random.choice((2, 3, 50)) + after
        case 5:
            return before
        case 6:
            number = random.choice(INTEGERS) & 0xFFFFFFFF
            return before + number.to_bytes(4, "little")[: max(length, 4)] + data[place + 4 :]
        case _:
            other = random.randrange(len(data))
            return before + data[other : other + length] + after


def repeated(mutate: Mutator, random: Random, most: int = 3) -> Mutator:
    """A mutator applied once, seldom several times."""
    times = random.choice((1,) * 4 + tuple(range(2, most + 1)))

    def run(data: bytes, generator: Random) -> bytes:
        for _ in range(times):
            data = mutate(data, generator)
        return data

    return run


def text(random: Random, known: Sequence[str] = ()) -> str:
    """A text out of the known ones, or one of `TEXTS`."""
    return random.choice(known) if known and random.random() < 0.6 else random.choice(TEXTS)
