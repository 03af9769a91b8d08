"""Split samples into those that may steer decisions and those that only the verdict sees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Split:
    """Numbers of samples, ascending; the two parts are disjoint and cover all."""

    steer: tuple[int, ...]
    held_out: tuple[int, ...]


def split(count: int, held_out: float, seed: int) -> Split:
    """Draw the held-out share at random (seeded). At least one sample is held out, also of one."""
    order = np.random.default_rng(np.random.SeedSequence([seed, count])).permutation(count)
    size = min(count, max(1, round(count * held_out)))
    return Split(tuple(sorted(order[size:].tolist())), tuple(sorted(order[:size].tolist())))
