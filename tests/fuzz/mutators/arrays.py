"""`.npy` files by their header, `.npz` archives by their members."""

from __future__ import annotations

from random import Random

from . import archive
from .plain import Mutator, flipped

_MAGIC = b"\x93NUMPY"
_HEADERS = (
    "{'descr': '<f4', 'fortran_order': False, 'shape': (1 << 40, 3, 8, 8), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776, 3, 8, 8), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (-1, 3, 8, 8), }",
    "{'descr': '<f4', 'fortran_order': True, 'shape': (3, 8, 8, 4), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': (True, 3, 8, 8), }",
    "{'descr': '<f4', 'fortran_order': False, 'shape': " + "(" * 300 + ")" * 300 + ", }",
    "{'descr': '|O', 'fortran_order': False, 'shape': (4, 3, 8, 8), }",
    "{'descr': '|S1', 'fortran_order': False, 'shape': (3072,), }",
    "{'descr': '<U64', 'fortran_order': False, 'shape': (4, 3), }",
    "{'descr': '<M8[ns]', 'fortran_order': False, 'shape': (4, 96), }",
    "{'descr': '|V4', 'fortran_order': False, 'shape': (4, 3, 8, 8), }",
    "{'descr': [('a', '<f4'), ('b', '<f4')], 'fortran_order': False, 'shape': (4, 96), }",
    "{'descr': '<c8', 'fortran_order': False, 'shape': (4, 96), }",
    "{'descr': '>f4', 'fortran_order': False, 'shape': (4, 3, 8, 8), }",
    "{'descr': ('<f4', (2**40,)), 'fortran_order': False, 'shape': (4,), }",
    "{'descr': '<f2', 'fortran_order': False, 'shape': (8, 3, 8, 8), }",
    "{'descr': __import__('os').system('true'), 'fortran_order': False, 'shape': (4,), }",
    "{'descr': '<f4'}",
    "[1, 2",
    "",
)
"""What numpy parses, and what it has to refuse."""


def npy(data: bytes, random: Random) -> bytes:
    """Another header, a header of another length or version, or other bytes."""
    size = int.from_bytes(data[8:10], "little")
    header, body = data[10 : 10 + size], data[10 + size :]
    if data[:6] != _MAGIC or random.random() < 0.1:
        return flipped(data, random)
    match random.randrange(4):
        case 0:
            return _with(random.choice(_HEADERS).encode(), body, random)
        case 1:
            return _with(flipped(header, random), body, random)
        case 2:
            return data[:8] + random.choice((0, 1, 60, 65535)).to_bytes(2, "little") + data[10:]
        case _:
            return _with(header, flipped(body, random), random)


def _with(header: bytes, body: bytes, random: Random) -> bytes:
    version = random.choice((1, 1, 1, 2, 3, 4, 255))
    length = len(header).to_bytes(2 if version == 1 else 4, "little")
    return _MAGIC + bytes((version, 0)) + length + header + body


NPZ: Mutator = archive.mutator(lambda name: npy)
"""Mutates an archive of arrays."""
