"""Which samples are other ones than those before them: a hundred copies of one input are one input."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from safeconvert.inputs.interface import Array
from safeconvert.inputs.store import Chunk


def distinct_samples(chunks: Sequence[Chunk]) -> Array:
    """Numbers of the samples that are equal, bit by bit over all inputs, to none before them; ascending, int64."""
    seen: set[bytes] = set()
    kept = []
    for chunk in chunks:
        arrays = [np.load(path, mmap_mode="r", allow_pickle=False) for path in chunk.arrays.values()]
        for number in range(chunk.start, chunk.stop):
            total = hashlib.sha256()
            for array in arrays:
                total.update(np.ascontiguousarray(array if chunk.whole else array[number - chunk.start]).tobytes())
            if total.digest() not in seen:
                seen.add(total.digest())
                kept.append(number)
    return np.asarray(kept, dtype=np.int64)
