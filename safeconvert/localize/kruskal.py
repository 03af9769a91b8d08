"""The Kruskal–Wallis test of two groups, for every element of an activation at once."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

_BLOCK = 1024  # elements at a time: what is sorted stays in the processor's cache
_BELOW_FINITE, _ABOVE_FINITE = np.uint64(0x007FFFFF), np.uint64(0xFF800000)  # keys of -Inf and Inf; NaN lies beyond
SMALLEST_GROUP = 3
"""With fewer observations in a group the chi-squared approximation says nothing: no element is flagged."""


def kruskal_p(first: Array, second: Array) -> Array:
    """p-values of the Kruskal–Wallis H test of two groups, ties corrected, chi-squared with one degree of freedom.

    The same numbers as `scipy.stats.kruskal` called for each element (Kruskal & Wallis, JASA 47, 1952), ranks taken over a
    whole chunk of elements at once.

    Args:
        first: observations of one group, (n1, elements); taken as float32, as activations are.
        second: observations of the other, (n2, elements).

    Returns:
        (elements,). 1 where all observations are equal or one is not finite, and everywhere where a group has fewer than
        `SMALLEST_GROUP` observations.
    """
    found: Array = np.ones(first.shape[1])
    if min(len(first), len(second)) < SMALLEST_GROUP:
        return found
    blocks = [slice(start, start + _BLOCK) for start in range(0, len(found), _BLOCK)]
    with ThreadPoolExecutor(os.cpu_count()) as threads:  # NumPy sorts and adds without the interpreter's lock
        for block, p in zip(
            blocks, threads.map(lambda block: _block_p(first[:, block], second[:, block]), blocks), strict=True
        ):
            found[block] = p
    return found


def _block_p(first: Array, second: Array) -> Array:
    from scipy.special import chdtrc

    n1, n2 = len(first), len(second)
    count = n1 + n2
    key = _keys(first, second)
    key.sort(axis=1)
    in_first = (key & 1) == 0
    sum1 = in_first.astype(np.float32) @ np.arange(1, count + 1, dtype=np.float32)
    sum1 = sum1.astype(np.float64)
    value = key >> 1
    tied = np.flatnonzero((value[:, 1:] == value[:, :-1]).any(axis=1))
    ties = np.ones(len(key))
    sum1[tied], ties[tied] = _with_ties(value[tied], in_first[tied])
    sum2 = count * (count + 1) / 2.0 - sum1
    statistic = 12.0 / (count * (count + 1)) * (sum1**2 / n1 + sum2**2 / n2) - 3.0 * (count + 1)
    usable = (ties > 0) & (value[:, 0] > _BELOW_FINITE) & (value[:, -1] < _ABOVE_FINITE)
    found: Array = np.where(usable, chdtrc(1.0, np.maximum(statistic, 0.0) / np.where(usable, ties, 1.0)), 1.0)
    return found


def _keys(first: Array, second: Array) -> Array:
    """Integers that sort as the values do, the last bit telling the group; (elements, n1 + n2).

    The bits of a float32, read as an integer, sort as its magnitude; those of negative numbers are turned round. Sorting
    plain integers is several times as fast as an argsort.
    """
    columns = []
    for group, values in enumerate((first, second)):
        bits = np.ascontiguousarray((values + np.float32(0)).astype(np.float32, copy=False).T).view(np.uint32)
        ordered = bits ^ np.where(bits >> 31, np.uint32(0xFFFFFFFF), np.uint32(0x80000000))
        columns.append((ordered.astype(np.uint64) << np.uint64(1)) | np.uint64(group))
    return np.concatenate(columns, axis=1)


def _with_ties(value: Array, in_first: Array) -> tuple[Array, Array]:
    """Rank sums of the first group and tie corrections of sorted rows; tied values share the mean of their ranks."""
    count = value.shape[1]
    new = np.ones(value.shape, dtype=bool)
    new[:, 1:] = value[:, 1:] != value[:, :-1]
    last = np.ones(value.shape, dtype=bool)
    last[:, :-1] = new[:, 1:]
    positions = np.arange(count, dtype=np.int32)
    start = np.maximum.accumulate(np.where(new, positions, 0), axis=1)
    end = np.minimum.accumulate(np.where(last, positions, count - 1)[:, ::-1], axis=1)[:, ::-1]
    ranks = (start + end) / 2.0 + 1.0
    length = (end - start + 1).astype(np.float64)
    return (ranks * in_first).sum(axis=1), 1.0 - (length**2 - 1.0).sum(axis=1) / (count**3 - count)
