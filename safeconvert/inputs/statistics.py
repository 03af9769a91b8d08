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


@dataclass(frozen=True)
class _Moments:
    """Of some values: how many, their mean, the sum of squared distances from it, the least and the largest."""

    count: int
    mean: float
    squares: float
    least: float
    largest: float

    def with_more(self, other: _Moments) -> _Moments:
        """Those of both together (Chan, Golub and LeVeque 1979, pairwise update)."""
        count = self.count + other.count
        apart = other.mean - self.mean
        return _Moments(
            count,
            self.mean + apart * other.count / count,
            self.squares + other.squares + apart * apart * self.count * other.count / count,
            min(self.least, other.least),
            max(self.largest, other.largest),
        )


def looks(chunks: Sequence[Chunk]) -> Mapping[str, Looks]:
    """By input, what the samples of these chunks look like; a deviation of 0 becomes 1. One chunk is in memory at a time."""
    found: dict[str, _Moments] = {}
    plain: dict[str, Looks] = {}
    for chunk in chunks:
        for name, path in chunk.arrays.items():
            array = np.load(path, allow_pickle=False)
            plain[name] = Looks(0.0, 1.0, 0.0, 0.0)  # of what holds no finite value, or nothing at all
            array = _finite(array)
            if array.size:
                own = _moments(array)
                found[name] = found[name].with_more(own) if name in found else own
    return plain | {
        name: Looks(one.mean, float(np.sqrt(one.squares / one.count)) or 1.0, one.least, one.largest)
        for name, one in found.items()
    }


def _finite(array: Array) -> Array:
    """The values of an array that are neither NaN nor Inf, along one axis; one number too, which a whole call may be."""
    flat = array.reshape(-1)
    if array.dtype.kind != "f":
        return flat
    kept = np.isfinite(flat)
    return flat if kept.all() else flat[kept]


def _moments(array: Array) -> _Moments:
    values = array if array.dtype == np.float32 else array.astype(np.float64)
    mean = float(values.mean(dtype=np.float64))
    apart = values - values.dtype.type(mean)
    squares = float(np.square(apart, out=apart).sum(dtype=np.float64))
    return _Moments(values.size, mean, squares, float(values.min()), float(values.max()))


def seen_ranges(found: Mapping[str, Looks]) -> dict[str, IntegerRange]:
    """By input, the integers between the least and the largest seen."""
    return {name: IntegerRange(int(one.least), int(one.largest) + 1) for name, one in found.items()}
