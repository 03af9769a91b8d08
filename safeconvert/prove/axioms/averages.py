"""Means that leave padding out, as means that count it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from safeconvert.prove.axioms.axiom import Axiom
from safeconvert.prove.axioms.window import Window
from safeconvert.prove.kernel.terms import Array, Store


def counting(store: Store, w: Window, sizes: Sequence[int], counts: Sequence[int]) -> tuple[Window, Array] | None:
    """The window that counts what lies beyond the tensor as padding, and how much greater the mean without it is, by place of the result.

    None where no window reaches beyond the tensor, where one lies beyond it, or where the axiom is not tried.

    Args:
        store: of the step.
        w: the window, with padding that does not count.
        sizes: of what is pooled, by spatial axis.
        counts: of the result.
    """
    if store.allowed is not None and AXIOM.name not in store.allowed:
        return None
    there, pads = np.ones((1, 1)), []
    for axis, (size, count) in enumerate(zip(sizes, counts, strict=True)):
        first = np.arange(count)[:, None] * w.strides[axis] - w.pads[axis][0]
        places = first + np.arange(w.kernel[axis]) * w.dilations[axis]
        there = np.multiply.outer(there, ((places >= 0) & (places < size)).sum(1))
        pads.append((w.pads[axis][0], max(w.pads[axis][1], w.behind(axis, size, count))))
    total = math.prod(w.kernel)
    if not there.all() or (there == total).all():
        return None
    AXIOM.use(store)
    return Window(w.kernel, w.strides, w.dilations, tuple(pads)), total / there


AXIOM = Axiom(
    "means of what is there",
    "The mean of a window that leaves out what lies beyond the tensor is the mean that counts it as zeros, times all places of the window over those that are there.",
)
