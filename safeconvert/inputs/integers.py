"""Made-up integers: every stretch of a table, both ends, equal ones, flags, and the values at which a graph changes its mind."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from safeconvert.graph.ranges import IntegerRange
from safeconvert.inputs.booleans import booleans
from safeconvert.inputs.interface import Array

Shape = tuple[int, ...]
_GOLDEN = 0.6180339887498949  # multiples of it, modulo 1, leave no gap longer than 1.7 / how many there are
_TURNS = (2**62, 70_000, 70_000, 1000)
"""How far from zero at most, in turn."""
_WITHOUT_SIGN = (2, 3)
_EXACT = 2**52  # spans that float64 counts without a gap


def _spread(random: np.random.Generator, shape: Shape, number: int, taken: IntegerRange) -> Array:
    """Values that go on where the sample before ended, so that together all samples leave no long stretch out."""
    span, size = taken.high - taken.low, int(np.prod(shape, dtype=int))
    if span > _EXACT:
        return _uniform(random, shape, number, taken)
    turn, index = divmod(number, len(_KINDS))
    before = (turn * _SPREADS + _PLACES.index(index)) * size
    indices = np.arange(before, before + size, dtype=np.float64)
    values = taken.low + np.floor(np.modf(indices * _GOLDEN)[0] * span).astype(np.int64)
    return np.asarray(random.permutation(values).reshape(shape))


def _uniform(random: np.random.Generator, shape: Shape, number: int, taken: IntegerRange) -> Array:
    """Any of them, and in every other turn none below zero: one negative number is no number for a logarithm or a root."""
    low = taken.low if number // len(_KINDS) % 2 == 0 or taken.high < 1 else max(taken.low, 0)
    return random.integers(low, taken.high, size=shape, dtype=np.int64)


def _edges(random: np.random.Generator, shape: Shape, number: int, taken: IntegerRange) -> Array:
    """The ends of the range, what lies around zero, and what lies where the graph compares or divides."""
    choice = [taken.low, taken.low + 1, taken.high - 2, taken.high - 1, -1, 0, 1, *taken.near]
    kept = sorted({value for value in choice if taken.low <= value < taken.high})
    return random.choice(np.asarray(kept, dtype=np.int64), size=shape)


def _constant(random: np.random.Generator, shape: Shape, number: int, taken: IntegerRange) -> Array:
    """One value, at first zero, where it is one: a mask that hides all, a length of nothing."""
    first = number < len(_KINDS) and taken.low <= 0 < taken.high
    return np.full(shape, 0 if first else random.integers(taken.low, taken.high, dtype=np.int64), dtype=np.int64)


def _flags(random: np.random.Generator, shape: Shape, number: int, taken: IntegerRange) -> Array:
    """0 and 1 as in masks, where the range holds both."""
    if not taken.low <= 0 < 1 < taken.high:
        return _uniform(random, shape, number, taken)
    return booleans(random, shape, number // len(_KINDS)).astype(np.int64)


def _far(random: np.random.Generator, shape: Shape, number: int, taken: IntegerRange) -> Array:
    """Numbers far from zero, where the input is a number: in turns as far as `far`, beyond 16 bits, and as far as a thousand, of both signs or of one."""
    low, high = taken.far or (taken.low, taken.high)
    if taken.far is not None:
        turn = number // len(_KINDS)
        most = _TURNS[turn % len(_TURNS)]
        low, high = max(low, -most), min(high, most)
        low = max(low, 0) if turn % len(_TURNS) in _WITHOUT_SIGN else low
    return random.integers(low, max(high, low + 1), size=shape, dtype=np.int64)


_KINDS: dict[str, Callable[[np.random.Generator, Shape, int, IntegerRange], Array]] = {
    "spread": _spread, "uniform": _uniform, "edges": _edges, "spread again": _spread, "flags": _flags, "far": _far,
    "constant": _constant, "spread once more": _spread,
}  # fmt: skip
_PLACES = [index for index, make in enumerate(_KINDS.values()) if make is _spread]
_SPREADS = len(_PLACES)


def integers(random: np.random.Generator, shape: Shape, number: int, taken: IntegerRange) -> Array:
    """The integers of sample `number`, int64 of the shape given: one kind after the other, all within the range (or `far`)."""
    if not np.prod(shape, dtype=int):
        return np.zeros(shape, dtype=np.int64)
    return list(_KINDS.values())[number % len(_KINDS)](random, shape, number, taken)
