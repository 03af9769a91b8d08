"""Made-up booleans: what masks look like, edges included, besides fair coins."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from safeconvert.inputs.interface import Array

Shape = tuple[int, ...]


def _coin(random: np.random.Generator, shape: Shape) -> Array:
    return random.integers(0, 2, size=shape).astype(bool)


def _all_true(random: np.random.Generator, shape: Shape) -> Array:
    return np.ones(shape, dtype=bool)


def _all_false(random: np.random.Generator, shape: Shape) -> Array:
    return np.zeros(shape, dtype=bool)


def _prefix(random: np.random.Generator, shape: Shape) -> Array:
    """True up to some place along the last axis, another one for each row, as padding masks are."""
    if not shape:
        return _coin(random, shape)
    ends = random.integers(1, shape[-1] + 1, size=(*shape[:-1], 1))
    return np.arange(shape[-1]) < ends


def _causal(random: np.random.Generator, shape: Shape) -> Array:
    """True where the last axis is not ahead of the one before it."""
    if len(shape) < 2:
        return _prefix(random, shape)
    return np.broadcast_to(np.tri(shape[-2], shape[-1], dtype=bool), shape).copy()


def _row_false(random: np.random.Generator, shape: Shape) -> Array:
    """Whole rows false (of attention: a query that may look at nothing); the rest true."""
    made = np.ones(shape, dtype=bool)
    if len(shape) < 2:
        return ~made
    made[..., random.integers(shape[-2]), :] = False
    return made


def _column_false(random: np.random.Generator, shape: Shape) -> Array:
    """A whole column false (of attention: a key that nobody may look at); the rest true."""
    made = np.ones(shape, dtype=bool)
    if shape:
        made[..., random.integers(shape[-1])] = False
    return made


def _single_true(random: np.random.Generator, shape: Shape) -> Array:
    made = np.zeros(shape, dtype=bool)
    made.flat[random.integers(made.size)] = True
    return made


def _single_false(random: np.random.Generator, shape: Shape) -> Array:
    return ~_single_true(random, shape)


KINDS: dict[str, Callable[[np.random.Generator, Shape], Array]] = {
    "coin": _coin, "all true": _all_true, "prefix": _prefix, "row false": _row_false, "causal": _causal, "all false": _all_false,
    "column false": _column_false, "single true": _single_true, "single false": _single_false,
}  # fmt: skip


def booleans(random: np.random.Generator, shape: Shape, number: int) -> Array:
    """The mask of sample `number`: one kind after the other. Shape as given, which may be ()."""
    if not np.prod(shape, dtype=int):
        return np.zeros(shape, dtype=bool)
    return np.asarray(list(KINDS.values())[number % len(KINDS)](random, shape), dtype=bool).reshape(shape)
