"""Inputs at the numbers at which only one of two models changes its mind, by their ONNX forms: a bound that the target alone has, integers that it counts in."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence, Set

import numpy as np

from safeconvert.conversion.models import Export
from safeconvert.graph.mutate import Range
from safeconvert.inputs.interface import Array
from safeconvert.verification.graph_pair import of_both
from safeconvert.workers.run import Run

Sample = Mapping[str, Array]
_BEYOND = (0.0, -0.1, 0.1)
"""By what shares of itself a number is passed."""
_SHARES = (1.0, 0.5)
"""Of the places that hold it."""


def turns_of_one(run: Run, source: Export, target: Export) -> tuple[float, ...]:
    """Those numbers, the ones of an input; () where there are none, or a side has no ONNX form. Never raises for a graph that cannot be read."""
    return of_both(run, "turns_of_one", "comparing the bounds of both graphs", source, target)


def at_turns(
    numbers: Sequence[float], base: Sequence[Sample], ranges: Mapping[str, Range], numeric: Set[str], count: int
) -> list[list[dict[str, Array]]]:
    """Samples at each number, below and above it, a list for each number; at most so many in all.

    Args:
        numbers: of inputs.
        base: samples, of which real inputs and integers that may be such numbers are changed.
        ranges: what the values of each input are; an integer is none beyond it.
        numeric: integer inputs that are numbers, and not indices: for these it is no bound.
        count: of samples at most.
    """
    random = np.random.default_rng(len(numbers))
    made: list[list[dict[str, Array]]] = []
    for number in numbers:
        group = []
        for value in (number + share * abs(number) for share in _BEYOND):
            for share in _SHARES:
                like = base[int(random.integers(len(base)))]
                changed = {
                    name: _with(random, array, value, share, ranges[name], name in numeric)
                    for name, array in like.items()
                }
                group += [changed] if any(changed[name] is not like[name] for name in like) else []
        made += [group[: count - sum(map(len, made))]]
    return [group for group in made if group]


def _with(random: np.random.Generator, array: Array, value: float, share: float, taken: Range, numeric: bool) -> Array:
    """An input with a number in a share of its places; the input itself where it holds none such."""
    places: Array = np.asarray(random.random(array.shape) < share)
    if array.size:
        places.flat[int(random.integers(array.size))] = True
    if array.dtype.kind == "f":
        return np.where(places, value, array).astype(array.dtype)
    if array.dtype.kind not in "iu" or array.dtype.itemsize == 1:
        return array
    least, most = (np.iinfo(array.dtype).min, np.iinfo(array.dtype).max) if numeric else (taken.low, taken.high - 1)
    around = [whole for whole in range(math.floor(value) - 1, math.ceil(value) + 2) if least <= whole <= most]
    return np.where(places, random.choice(around, array.shape), array).astype(array.dtype) if around else array
