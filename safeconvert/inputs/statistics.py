"""What given inputs look like, so that made-up ones beside them are of the same size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from safeconvert.graph.ranges import IntegerRange
from safeconvert.inputs.interface import Array
from safeconvert.inputs.store import Chunk


@dataclass(frozen=True)
class Looks:
    """Of one input: mean and standard deviation of its finite values, the least and the largest."""

    mean: float
    deviation: float
    least: float
    largest: float


def looks(chunks: Sequence[Chunk]) -> Mapping[str, Looks]:
    """By input, what the samples of these chunks look like; a deviation of 0 becomes 1."""
    arrays: dict[str, list[Array]] = {}
    for chunk in chunks:
        for name, path in chunk.arrays.items():
            arrays.setdefault(name, []).append(np.load(path, allow_pickle=False).astype(np.float64).ravel())
    found = {}
    for name, parts in arrays.items():
        values = np.concatenate(parts)
        if values.size:
            found[name] = Looks(
                float(values.mean()), float(values.std()) or 1.0, float(values.min()), float(values.max())
            )
    return found


def seen_ranges(found: Mapping[str, Looks]) -> dict[str, IntegerRange]:
    """By input, the integers between the least and the largest seen."""
    return {name: IntegerRange(int(one.least), int(one.largest) + 1) for name, one in found.items()}
