"""Calls that random samples do not come to: all samples zero, or all numbers of one sign; rows of a table counted from its end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from safeconvert.graph.mutate import Range
from safeconvert.graph.ranges import IntegerRange
from safeconvert.inputs.interface import Array

Sample = Mapping[str, Array]
_FEW = 4  # samples of such a call


def one_sided_calls(base: Sequence[Sample], ranges: Mapping[str, Range]) -> Iterator[list[dict[str, Array]]]:
    """Calls of a few samples in which all are zero, none is negative, and none is positive: what a branch asks of a call as a whole.

    Args:
        base: samples of one shape.
        ranges: what the values of each input are; an integer is none beyond it.
    """
    chosen = list(base[:_FEW])
    if not any(array.dtype.kind in "iuf" for sample in chosen for array in sample.values()):
        return
    yield [{name: _zero(array, ranges[name]) for name, array in sample.items()} for sample in chosen]
    if any(array.dtype.kind == "f" for sample in chosen for array in sample.values()):
        for sign in (1, -1):
            yield [{name: _signed(array, sign) for name, array in sample.items()} for sample in chosen]


def from_the_end(like: Sample, ranges: Mapping[str, IntegerRange]) -> Iterator[dict[str, Array]]:
    """A sample for each input that chooses rows of a table: as it is, but its numbers count from the table's end, all or every other one.

    Args:
        like: a sample.
        ranges: of integer inputs, as the source's graph tells.
    """
    for name, array in like.items():
        taken = ranges.get(name)
        if taken is None or not taken.rows or taken.high - taken.low != taken.rows or array.dtype.kind != "i":
            continue
        inside = (
            (array >= taken.low)
            & (array < taken.high)
            & (array.astype(np.int64) - taken.rows >= np.iinfo(array.dtype).min)
        )
        every: Array = np.arange(array.size).reshape(array.shape) % 2 == 0
        for places in (inside, inside & every):
            yield {**like, name: np.where(places, array - taken.rows, array).astype(array.dtype)}


def _zero(array: Array, taken: Range) -> Array:
    if array.dtype.kind not in "iuf":
        return array
    least = 0 if array.dtype.kind == "f" or array.dtype.itemsize == 1 or taken.low <= 0 < taken.high else taken.low
    return np.full_like(array, least)


def _signed(array: Array, sign: int) -> Array:
    return sign * np.abs(array) if array.dtype.kind == "f" else array
