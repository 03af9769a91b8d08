"""The share of inputs whose label a target changes, by how far it moves every input's gap between its label and the next.

Of some hundred inputs fewer bits change the labels of two or three, and such a count is off by as much as it is large. But a label changes where the gap
between its score and the next one's closes, and by how much gaps close is seen at every input. So each input stands for those whose gaps are
about as wide: how many of them would have changed their label, had theirs closed as its own did? Or opened, since close to the border between two labels one side's
gaps open by what the other's close. Counts of pairs have a variance by Hájek's projection (Hoeffding, "A class of statistics with asymptotically normal
distribution", Ann. Math. Statist. 19, 1948). Where most labels are lost it is half of them at least, and the count is what decides.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
_ALIKE = 4  # a quarter of the inputs is about as near to another label as any one of them
_MOST = 500  # of these: more say no more, and take memory
_SURE = 1.645  # standard errors: with 95 % confidence by a normal law, one side


def changed_labels(source: Array, target: Array) -> Array:
    """A share for each input, float64 (n,), whose mean is the estimate; their spread is that of the estimate, times the root of n.

    Args:
        source, target: class scores (n, classes), of two classes at least. Where the target has one that is not finite, its label is lost.
    """
    count, classes = source.shape
    if not count:
        return np.empty(0)
    rows, own = np.arange(count), source.argmax(axis=1)
    others = np.where(np.arange(classes) == own[:, None], -np.inf, 1.0)
    gaps, left = (_gap(np.asarray(side, np.float64), rows, own, others) for side in (source, target))
    closed = np.where(np.isfinite(target).all(axis=1), gaps - left, np.inf)
    order = np.argsort(gaps, kind="stable")
    ranked = _pairs(gaps[order], closed[order])
    found = np.empty(count)
    found[order] = ranked
    return found


def surely_less(ours: Array, theirs: Array) -> bool:
    """Whether the mean of one share for each input is below another's on the same inputs, with 95 % confidence."""
    apart = theirs - ours
    if len(apart) < 2 or not apart.mean() > 0:
        return False
    return bool(apart.mean() > _SURE * apart.std(ddof=1) / math.sqrt(len(apart)))


def _gap(scores: Array, rows: Array, own: Array, others: Array) -> Array:
    """The score of a label less the largest of the others."""
    gaps: Array = scores[rows, own] - np.where(np.isinf(others), -np.inf, scores).max(axis=1)
    return gaps


def _pairs(gaps: Array, closed: Array) -> Array:
    """Projection of the share of pairs of alike inputs in which one's gap is closed by what closed the other's; gaps ascend."""
    count = len(gaps)
    width = min(math.ceil(count / _ALIKE), _MOST)
    first = np.clip(np.arange(count) - width // 2, 0, count - width)
    alike = first[:, None] + np.arange(width)
    gap, theirs = gaps[:, None], closed[alike]
    opposite = np.where(np.isinf(theirs), theirs, -theirs)
    changes = (_over(theirs, gap) + _over(opposite, gap)) / 2
    as_input = changes.mean(axis=1)
    as_change = np.bincount(alike.ravel(), changes.ravel(), minlength=count) / width
    beyond = as_change - as_change[alike].mean(axis=1)  # what the gap alone says of an input is in the first already
    found: Array = as_input + beyond - beyond.mean()
    return found


def _over(closed: Array, gaps: Array) -> Array:
    """1 where a gap is closed and its label changes, half where it is closed to a tie, which is either label."""
    halves: Array = ((closed > gaps).astype(np.float64) + (closed >= gaps)) / 2
    return halves
