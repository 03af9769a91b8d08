"""One sample changed at random, for a search: far or little, in a few places or all, towards another sample, or to less of itself.

Less of itself is what a search needs most: of a sample that shows something faintly, half of the values may show it alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Range:
    """What the values of an input are.

    Attributes:
        scale: usual size of a real value's deviation.
        low, high: the lowest and one past the highest of integers; without meaning for real ones.
    """

    scale: float = 1.0
    low: int = 0
    high: int = 2


_FARTHEST = 3000.0  # deviations past which nothing is looked for
Change = Callable[[np.random.Generator, Array, Array, float], Array]


def _block(random: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """A box within a shape, true inside."""
    inside: Array = np.ones(shape, dtype=bool)
    for axis, size in enumerate(shape):
        start = int(random.integers(size)) if size else 0
        length = int(random.integers(1, max(2, size // 2 + 1)))
        if random.random() < 0.3:
            start, length = (0 if random.random() < 0.5 else max(0, size - 1)), 1  # a border
        along = (np.arange(size) >= start) & (np.arange(size) < start + length)
        inside = np.logical_and(inside, along.reshape([-1 if other == axis else 1 for other in range(len(shape))]))
    return inside


def _step(random: np.random.Generator, one: Array, two: Array, scale: float) -> Array:
    return np.asarray(one + random.normal(size=one.shape) * scale * random.choice([0.1, 0.3, 1.0]))


def _scaled(random: np.random.Generator, one: Array, two: Array, scale: float) -> Array:
    return np.asarray(one * random.choice([0.1, 0.5, 2.0, 4.0, 20.0]))


def _shifted(random: np.random.Generator, one: Array, two: Array, scale: float) -> Array:
    return np.asarray(one + random.normal() * scale * random.choice([1.0, 3.0, 10.0]))


def _fewer(random: np.random.Generator, one: Array, two: Array, scale: float) -> Array:
    return np.where(random.random(one.shape) < random.choice([0.1, 0.5, 0.5, 0.8]), one, 0.0)


def _inside(random: np.random.Generator, one: Array, two: Array, scale: float) -> Array:
    return np.where(_block(random, one.shape), one, 0.0)


def _outside(random: np.random.Generator, one: Array, two: Array, scale: float) -> Array:
    return np.where(_block(random, one.shape), 0.0, one)


def _patch(random: np.random.Generator, one: Array, two: Array, scale: float) -> Array:
    made = random.normal(size=one.shape) * scale * random.choice([1.0, 3.0, 10.0])
    return np.where(_block(random, one.shape), made, one)


def _mixed(random: np.random.Generator, one: Array, two: Array, scale: float) -> Array:
    return np.where(random.random(one.shape) < 0.5, one, two)


def _beyond(random: np.random.Generator, one: Array, two: Array, scale: float) -> Array:
    return one + (one - two) * random.uniform(0.2, 1.5)


def _single(random: np.random.Generator, one: Array, two: Array, scale: float) -> Array:
    made = one.copy()
    if one.size:
        made.flat[int(random.integers(one.size))] = (
            random.choice([-1.0, 1.0]) * scale * random.choice([1.0, 3.0, 10.0, 30.0])
        )
    return made


def _flipped(random: np.random.Generator, one: Array, two: Array, scale: float) -> Array:
    return -one


CHANGES: tuple[Change, ...] = (
    _fewer, _step, _inside, _patch, _scaled, _single, _mixed, _beyond, _shifted, _outside, _fewer, _flipped,
)  # fmt: skip


def mutated(random: np.random.Generator, one: Array, two: Array, taken: Range) -> Array:
    """A sample of the shape and type of `one`, changed; integers stay in their range.

    Args:
        random: seeded.
        one, two: samples of one input, of the same shape and type.
        taken: what its values are.
    """
    if one.dtype.kind == "b":
        return np.where(
            random.random(one.shape) < random.choice([0.1, 0.5]), ~one, two if random.random() < 0.5 else one
        )
    if one.dtype.kind in "iu" and one.dtype.itemsize > 1:
        return _integers(random, one, two, taken)
    values = one.astype(np.float64)
    for _ in range(1 if random.random() < 0.7 else 2):
        change = CHANGES[int(random.integers(len(CHANGES)))]
        values = np.asarray(change(random, values, two.astype(np.float64), taken.scale))
    if one.dtype.kind in "iu":
        limits = np.iinfo(one.dtype)
        return np.clip(np.rint(values), limits.min, limits.max).astype(one.dtype)
    reach = _FARTHEST * taken.scale
    return np.asarray(np.clip(values, -reach, reach) + 0.0).astype(one.dtype)  # a zero made up has no sign


def _integers(random: np.random.Generator, one: Array, two: Array, taken: Range) -> Array:
    """Some places drawn anew, moved by one, taken from the other sample, or all of one value, mostly one of its own."""
    wide = np.iinfo(np.uint64 if one.dtype == np.uint64 else np.int64)
    low = min(max(taken.low, wide.min), wide.max - 1)
    high = min(max(taken.high, low + 1), wide.max)
    drawn = random.integers(low, high, size=one.shape, dtype=wide.dtype)
    share = random.random(one.shape) < random.choice([0.1, 0.5, 1.0])
    kind = int(random.integers(4))
    if kind == 0:
        moved = np.clip(one.astype(wide.dtype) + random.choice([-1, 1]).astype(wide.dtype), low, high - 1)
    elif kind == 1:
        moved = two.astype(wide.dtype)
    elif kind == 2:
        chosen = one if random.random() < 0.7 else drawn
        moved = np.full(one.shape, chosen.flat[int(random.integers(one.size))] if one.size else 0, dtype=wide.dtype)
    else:
        moved = drawn
    return np.where(share, moved, one).astype(one.dtype)


def changed(
    random: np.random.Generator, one: Sequence[Array], two: Sequence[Array], ranges: Sequence[Range]
) -> list[Array]:
    """A sample, input by input, of which one input or more is changed; `two` is another sample that it may go towards."""
    chosen = random.random(len(one)) < 0.6
    chosen[int(random.integers(len(one)))] = True
    return [
        mutated(random, first, second, taken) if change else first
        for first, second, taken, change in zip(one, two, ranges, chosen, strict=True)
    ]
