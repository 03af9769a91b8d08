"""Mask values: numbers of an output that stand for "nothing here", such as the -1e9 of masked logits."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
_FAR_REPEATED, _FAR = 1e2, 1e6


def fills(sizes: Array) -> Array | None:
    """Which of the sizes of one sample, (K,), are the largest and far above all others; None where none is.

    Far is a hundredfold where the very same number stands at several positions, else a millionfold, above which float32
    could not tell the others from rounding if they had to do with it.
    """
    found, rest = None, sizes
    while rest.size:
        top = float(rest.max())
        at_top = rest == top
        count = np.count_nonzero(at_top)
        if np.count_nonzero(rest > top / _FAR_REPEATED) > count:
            return found
        below = float(np.max(rest, initial=0.0, where=~at_top))
        if not below or (count == 1 and top <= _FAR * below):
            return found
        found = at_top if found is None else found | at_top
        rest = np.where(found, 0.0, sizes)
    return found
