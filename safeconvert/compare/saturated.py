"""Is an output saturated, so that it hides what it was computed from? And do all samples have one label?"""

from __future__ import annotations

import numpy as np

from safeconvert.compare.comparators import is_scores
from safeconvert.compare.output_pair import Array

_NEAR = 1e-3  # from 0 and 1, or from -1 and 1: a logit there may be off by a tenth of itself unseen
_SHARE = 0.5  # of the samples


def is_saturated(values: Array) -> bool:
    """Whether on more than half of the samples every number is 0 or 1, or -1 or 1, but for a thousandth.

    Args:
        values: real numbers, (n, ...).
    """
    if not values.size or values.dtype.kind != "f":
        return False
    rows = np.abs(values.reshape(len(values), -1).astype(np.float64))
    flat = (rows <= _NEAR) | (np.abs(rows - 1) <= _NEAR)
    return bool(flat.all(axis=1).mean() > _SHARE and (rows > _NEAR).any())


def only_label(values: Array) -> int | None:
    """The label that all of two or more samples have; None where they differ, or are no class scores."""
    if len(values) < 2 or values.dtype.kind != "f" or not is_scores(values.shape):
        return None
    labels = np.unique(values.reshape(len(values), -1).argmax(axis=1))
    return int(labels[0]) if len(labels) == 1 else None
