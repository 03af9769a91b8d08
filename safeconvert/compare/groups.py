"""Quantities of very different size in one output, such as boxes in pixels beside scores below 1: each has a scale of its own.

A relative tolerance is a share of a sample's largest value. Where an output puts quantities together, the largest are the boxes, and
the scores may be off by a tenth of themselves unseen. Along the axis of the channels (the second or the last) the ranges over
all inputs tell such groups apart: sorted by size, they leave a gap.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from safeconvert.compare.output_pair import Array, is_finite

_GAP = 10.0  # between the ranges of two groups; within a group, neighbours lie nearer
_ONE = 1e-3  # from 1, to which shares of one whole sum up


class Ranges:
    """The largest absolute value of each element of each real output, over all samples; a few numbers, never the samples."""

    def __init__(self) -> None:
        """With no samples."""
        self._largest: dict[str, Array] = {}
        self._shares: dict[str, bool] = {}

    def add(self, outputs: Mapping[str, Array], count: int) -> None:
        """Take outputs of `count` samples, along axis 0 where an output has that many."""
        for name, array in outputs.items():
            if array.dtype.kind != "f" or not array.size:
                continue
            rows = array if array.shape[:1] == (count,) else array[None]
            values = np.where(is_finite(rows), rows, 0).astype(np.float64)
            most = np.abs(values).max(axis=0)
            known = self._largest.get(name)
            self._largest[name] = most if known is None or known.shape != most.shape else np.maximum(known, most)
            whole = bool(values.ndim > 1 and (np.abs(values.sum(axis=-1) - 1) < _ONE).all() and (values >= 0).all())
            self._shares[name] = whole and self._shares.get(name, True)

    def limits(self) -> dict[str, Array]:
        """By output that has groups, the scale that the group of each element has; float64 (K,).

        Shares of one whole, which a softmax gives, have none: what one of them gains the others lose.
        """
        found = {name: group_limits(most) for name, most in self._largest.items() if not self._shares[name]}
        return {name: limits for name, limits in found.items() if limits is not None}


def group_limits(largest: Array) -> Array | None:
    """Of each element the largest value that any element of its group takes, (K,); None where all are one group.

    Args:
        largest: of each element, its largest absolute value over all samples; an output's shape without the samples.
    """
    limits = np.full(largest.shape, np.inf)
    for axis in {0, largest.ndim - 1} if largest.ndim else ():
        others = tuple(other for other in range(largest.ndim) if other != axis)
        along = _grouped(largest.max(axis=others))
        limits = np.minimum(limits, along.reshape([-1 if other == axis else 1 for other in range(largest.ndim)]))
    return None if not np.isfinite(limits).any() else limits.ravel()


def _grouped(sizes: Array) -> Array:
    """Of each place along an axis the largest size in its group; inf in the group of the largest, and where the size is 0."""
    limits = np.full(len(sizes), np.inf)
    order = np.argsort(sizes, kind="stable")
    order = order[sizes[order] > 0]
    gaps = np.flatnonzero(sizes[order][1:] > _GAP * sizes[order][:-1]) + 1
    for start, stop in zip((0, *gaps[:-1]), gaps, strict=False):
        limits[order[start:stop]] = sizes[order[stop - 1]]
    return limits


def ranges_of(outputs: Iterable[tuple[Mapping[str, Array], int]]) -> dict[str, Array]:
    """The limits of outputs given chunk by chunk, each with its number of samples; see `Ranges.limits`."""
    found = Ranges()
    for arrays, count in outputs:
        found.add(arrays, count)
    return found.limits()
