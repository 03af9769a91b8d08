"""The tolerance of outputs that a model computes in 16 bits and hands out wider, as Keras' mixed precision does.

Two runtimes that multiply and add the same halves round them at other places: what they are apart says nothing below the unit of the
type, 2^-10 of the scale for float16 and 2^-7 for bfloat16 (one unit in the last place of a number around 1).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from types import MappingProxyType

from safeconvert.compare.settings import Tolerance, VerifySettings
from safeconvert.core.signature import TensorSpec

UNITS = MappingProxyType({"float16": 2.0**-10, "bfloat16": 2.0**-7})
"""Distance of 1 to the next number, by type."""
_FLOAT32 = 2.0**-23


def coarseness(outputs: Iterable[TensorSpec]) -> float:
    """How many times coarser the roundest of these outputs is than float32: what float32 rounds to nothing, 16 bits do not."""
    units = (UNITS.get(spec.computed or spec.dtype, _FLOAT32) for spec in outputs)
    return max(units, default=_FLOAT32) / _FLOAT32


def within_half(settings: VerifySettings, outputs: Iterable[TensorSpec]) -> VerifySettings:
    """The settings with at least the unit of its type as the relative tolerance of each source output computed in 16 bits.

    A tolerance that the user gave an output by name stays.
    """
    wider = {
        spec.name: Tolerance(max(settings.tolerance.rtol, UNITS[spec.computed]), settings.tolerance.atol)
        for spec in outputs
        if spec.computed in UNITS
    }
    return replace(settings, tolerances={**wider, **settings.tolerances}) if wider else settings
