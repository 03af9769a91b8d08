"""A checkpoint's tensors: an index in blocks of sorted keys, and the numbers in other files beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from safeconvert.prove.kernel.terms import Array, Refused
from safeconvert.prove.readers.tf.wire import Message, varint

_MAGIC = 0xDB4775248B80FB57
_FOOTER = 48
KINDS = {1: np.float32, 2: np.float64, 3: np.int32, 9: np.int64, 10: np.bool_, 19: np.float16}
"""Element types by TensorFlow's numbers."""


def tensors(folder: Path) -> dict[str, Array]:
    """All tensors of the checkpoint of a SavedModel, by key; those of other types than numbers are left out."""
    index = (folder / "variables.index").read_bytes()
    if int.from_bytes(index[-8:], "little") != _MAGIC:
        raise Refused("no index of a checkpoint")
    at = len(index) - _FOOTER
    for _ in range(2):  # the place and length of a block that is not needed
        _, at = varint(index, at)
    start, at = varint(index, at)
    length, _ = varint(index, at)
    found: dict[str, Array] = {}
    shards: dict[int, bytes] = {}
    files = sorted(folder.glob("variables.data-*"))
    for _, handle in _entries(index, start, length):
        place, end = varint(handle, 0)
        size, _ = varint(handle, end)
        for key, value in _entries(index, place, size):
            entry = Message(value)
            kind = KINDS.get(entry.integer(1))
            if not key or kind is None or entry.messages(7):
                continue
            shard = entry.integer(3)
            if shard not in shards:
                shards[shard] = files[shard].read_bytes()
            shape = [dim.integer(1) for dim in entry.message(2).messages(2)]
            begin = entry.integer(4)
            held = shards[shard][begin : begin + entry.integer(5)]
            found[key.decode()] = np.frombuffer(held, kind).reshape(shape)
    return found


def _entries(content: bytes, start: int, length: int) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of a block. Raises Refused where it is compressed."""
    if start + length >= len(content) or content[start + length] != 0:
        raise Refused("a compressed block of a checkpoint")
    block = content[start : start + length]
    restarts = int.from_bytes(block[-4:], "little")
    end, at, key = len(block) - 4 - 4 * restarts, 0, b""
    while at < end:
        shared, at = varint(block, at)
        own, at = varint(block, at)
        size, at = varint(block, at)
        key, at = key[:shared] + block[at : at + own], at + own
        yield key, block[at : at + size]
        at += size
