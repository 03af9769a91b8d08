"""How large an output is over all inputs, and what that leaves of an absolute tolerance.

`atol` is for samples whose every value is tiny beside other samples of the same output. Where the output is tiny on all of them, it
would let anything through: there it is at most the relative tolerance of the output's largest value anywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np

from safeconvert.compare.output_pair import Array, is_finite
from safeconvert.compare.settings import Tolerance, VerifySettings

_LEAST_SHARE = 1e-4  # of the output's range, where the relative tolerance is 0


def output_scales(outputs: Iterable[Mapping[str, Array]]) -> dict[str, float]:
    """By output, the largest finite absolute value in any chunk; 0 where an output has no elements or is 0 throughout."""
    found: dict[str, float] = {}
    for chunk in outputs:
        for name, array in chunk.items():
            if array.dtype.kind not in "biufc":
                continue
            sizes = np.abs(array.astype(np.complex128 if array.dtype.kind == "c" else np.float64))
            kept = sizes[is_finite(array, sizes)] if array.dtype.kind == "f" else sizes[np.isfinite(sizes)]
            found[name] = max(found.get(name, 0.0), float(kept.max(initial=0.0)))
    return found


def fitted(settings: VerifySettings, scales: Mapping[str, float]) -> VerifySettings:
    """The settings with no `atol` above what an output's range allows.

    What a user gave stays as it is; so does the limit of a user's own comparator, whose unit is its own.
    """
    if settings.atol_given or ":" in (settings.comparator or ""):
        return settings
    narrowed = {
        name: _fitted(settings.tolerance, scale)
        for name, scale in scales.items()
        if scale > 0 and name not in settings.tolerances
    }
    return replace(settings, tolerances={**narrowed, **settings.tolerances})


def not_compared(settings: VerifySettings, scales: Mapping[str, float], elements: Mapping[str, int]) -> dict[str, str]:
    """By output that tells nothing, why: it has no elements, or no value of it is above the absolute tolerance.

    Args:
        settings: as the user gave them.
        scales: by real-valued output, its largest value on any input.
        elements: by output, how many numbers it gave in all.
    """
    found = {name: "has no elements" for name, count in elements.items() if not count}
    for name, scale in scales.items():
        atol = settings.tolerance_for(name).atol if settings.atol_given or name in settings.tolerances else 0.0
        if name not in found and scale <= atol:
            limit = f"at most {scale:.3g}, not above its atol of {atol:g}," if scale else "0"
            found[name] = f"is {limit} on every input"
    return found


def _fitted(tolerance: Tolerance, scale: float) -> Tolerance:
    return replace(tolerance, atol=min(tolerance.atol, (tolerance.rtol or _LEAST_SHARE) * scale))
