"""Is what was saved of a model in memory the same function? Both run in this process, on a few inputs of noise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from safeconvert.errors import NoVerdict

Array = np.ndarray[Any, np.dtype[Any]]
Model = Callable[[Sequence[Array]], Sequence[Array]]

SEEDS = range(4)
"""Of the noise that models in memory and their files are compared on."""

_RTOL = 1e-4  # of an output's largest value: the same operators in the same framework, perhaps folded


def noise(shapes: Sequence[Sequence[int | None]], dtypes: Sequence[str], seed: int) -> list[Array]:
    """One array an input: normal noise for reals, zeros and ones for integers (the only values that any table has).

    An odd seed gives the negative of the noise before it, so that a branch on a sign is taken both ways.
    """
    random = np.random.default_rng(seed // 2)
    sign = -1.0 if seed % 2 else 1.0
    arrays: list[Array] = []
    for shape, dtype in zip(shapes, dtypes, strict=True):
        sizes = [size or 1 for size in shape]
        kind = np.dtype(dtype).kind
        values = sign * random.normal(size=sizes) if kind == "f" else random.integers(0, 2, size=sizes)
        arrays.append(values.astype(dtype))
    return arrays


def difference(live: Model, saved: Model, samples: Sequence[Sequence[Array]]) -> str:
    """Where two models differ, in words; "" where they agree on every sample.

    Raises:
        NoVerdict: the first gives other outputs on the same inputs.
    """
    for number, arrays in enumerate(samples):
        ours, theirs = live(arrays), saved(arrays)
        if number == 0 and _apart(ours, live(arrays)):
            raise NoVerdict(
                "the model in memory gives other outputs on the same inputs: not a function",
                "switch off dropout and random operators (model.eval())",
            )
        if len(ours) != len(theirs):
            return f"{len(ours)} outputs in memory, {len(theirs)} in the file"
        for position, (one, two) in enumerate(zip(ours, theirs, strict=True)):
            if one.shape != two.shape:
                return f"output {position} has the shape {list(one.shape)} in memory, {list(two.shape)} in the file"
            if _apart([one], [two]):
                gap = float(np.nanmax(np.abs(one.astype(np.float64) - two.astype(np.float64))))
                return f"output {position} differs by {gap:.3g} on sample {number}"
    return ""


def _apart(ours: Sequence[Array], theirs: Sequence[Array]) -> bool:
    """Whether outputs of equal shapes differ beyond the tolerance."""
    for one, two in zip(ours, theirs, strict=True):
        scale = float(np.max(np.abs(one[np.isfinite(one)]), initial=0.0)) if one.dtype.kind == "f" else 0.0
        if not np.allclose(one, two, rtol=0, atol=_RTOL * scale + 1e-6, equal_nan=True):
            return True
    return False
