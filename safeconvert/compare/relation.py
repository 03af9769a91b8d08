"""When two tensors carry the same values: one concrete order of axes, confirmed element by element."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations
from typing import Any

import numpy as np

from safeconvert.core.permutation import channels_last, channels_second

Array = np.ndarray[Any, Any]
_RANK_LIMIT = 5


@dataclass(frozen=True)
class Relation:
    """`target.ravel() == source.transpose(order).ravel()`: an order of axes, and a reshape where shapes still differ.

    Attributes:
        order: axes of the source tensor, as the target has them.
    """

    order: tuple[int, ...]

    def to_target(self, source: Array, shape: Sequence[int]) -> Array:
        """The source's values as the target would have them. Raises ValueError where the size differs."""
        return np.ascontiguousarray(source.transpose(self.order)).reshape(shape)

    def to_source(self, target: Array, shape: Sequence[int]) -> Array:
        """The inverse: the target's values in the source's order and shape."""
        moved = target.reshape([shape[axis] for axis in self.order])
        return np.ascontiguousarray(moved.transpose(np.argsort(self.order)))

    def keeps_order(self, shape: Sequence[int]) -> bool:
        """Whether axes longer than 1 stay in their order (for a source tensor of this shape)."""
        long_axes = [axis for axis in self.order if shape[axis] != 1]
        return long_axes == sorted(long_axes)


def identity(rank: int) -> Relation:
    """Nothing moved."""
    return Relation(tuple(range(rank)))


def is_layout(relation: Relation) -> bool:
    """Whether it moves nothing, or the channels from second to last or back, as a layout of images does."""
    rank = len(relation.order)
    moved = (channels_last(rank), channels_second(rank))
    return relation == identity(rank) or (rank >= 3 and relation.order in moved)


def possible(source: Sequence[int], target: Sequence[int], preferred: Sequence[Relation] = ()) -> Iterator[Relation]:
    """Orders of axes under which a source shape fits a target shape, the likeliest first.

    Shapes fit where they are equal after the move but for axes of length 1; orders that only move axes of length 1 are
    given once. Where none fits and the sizes are equal, plain reshapes (the order kept, or channels moved last or second)
    are given.
    """
    if int(np.prod(source)) != int(np.prod(target)):
        return
    long_target = [size for size in target if size != 1]
    seen: set[tuple[int, ...]] = set()
    candidates: list[tuple[int, ...]] = [relation.order for relation in preferred if len(relation.order) == len(source)]
    rank = len(source)
    candidates += list(permutations(range(rank))) if rank <= _RANK_LIMIT else [tuple(range(rank))]
    fits = False
    for order in candidates:
        key = tuple(axis for axis in order if source[axis] != 1)
        if key in seen or [source[axis] for axis in key] != long_target:
            continue
        seen.add(key)
        fits = True
        yield Relation(order)
    if not fits:
        yield identity(rank)
        if rank >= 3:
            yield Relation(channels_last(rank))
            yield Relation(channels_second(rank))


def close(one: Array, two: Array, rtol: float, scale: float | None = None) -> bool:
    """Whether two arrays of one shape agree within `rtol` of the largest finite magnitude; NaN and Inf must coincide."""
    if one.shape != two.shape:
        return False
    if one.dtype.kind not in "fc" and two.dtype.kind not in "fc":
        return bool(np.array_equal(one, two))
    left, right = one.astype(np.float64), two.astype(np.float64)
    finite = np.isfinite(left)
    if not np.array_equal(finite, np.isfinite(right)) or not np.array_equal(
        left[~finite], right[~finite], equal_nan=True
    ):
        return False
    if scale is None:
        scale = float(np.abs(left[finite]).max(initial=0.0))
    return bool(np.abs(left[finite] - right[finite]).max(initial=0.0) <= rtol * scale)


def find(
    source: Sequence[Array],
    target: Sequence[Array],
    rtol: float,
    preferred: Sequence[Relation] = (),
    layouts: bool = False,
) -> Relation | None:
    """The order of axes under which a source tensor's values are the target's on every probe, or None.

    Args:
        source, target: values on each probe.
        rtol: how far they may be apart, of the largest magnitude.
        preferred: orders that are tried first.
        layouts: only orders that a layout of images has.
    """
    if source[0].size != target[0].size:
        return None
    for relation in possible(source[0].shape, target[0].shape, preferred):
        if (not layouts or is_layout(relation)) and all(
            _related(one, two, relation, rtol) for one, two in zip(source, target, strict=True)
        ):
            return relation
    return None


def _related(source: Array, target: Array, relation: Relation, rtol: float) -> bool:
    if source.size != target.size or source.ndim != len(relation.order):
        return False
    moved = source.transpose(relation.order)
    scale = (
        float(np.abs(source[np.isfinite(source)], dtype=np.float64).max(initial=0.0))
        if source.dtype.kind == "f"
        else None
    )
    flat = target.reshape(moved.shape)
    head = (slice(0, 4),) * moved.ndim  # a cheap look first: most wrong orders differ in the first few elements
    return close(moved[head], flat[head], rtol, scale) and close(moved, flat, rtol, scale)
