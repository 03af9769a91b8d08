"""One output of two models, ready to be compared: values in float64, what of them is comparable, scales and distances.

Outputs of 16 bits: each number may be one unit in its own last place off (of float16 4.9e-4 to 9.8e-4 of it), which is how far two
right models lie apart that round one last sum differently. The comparator
`exact` requires the same bits.

Scale: mask values (masked logits of -1e9) are no part of it; beside them every distance would be small
and every label a tie. They are compared by their own size.

NaN or Inf on either side is never agreement, also where both sides have it at the same position; nor is a number at the very
end of its type, which is what some runtimes write for an infinity. Where the settings allow it (`nonfinite`), a sample is compared whose
NaN, Inf and such numbers stand at the same positions on both sides and are the same there: they are no part of scale, distance or
rank, and the rest is compared as ever. Distances are computed in
float64 (complex numbers as pairs); `exact` compares the numbers as they are stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np

from safeconvert.compare.half_precision import UNITS
from safeconvert.compare.mask_values import fills
from safeconvert.compare.settings import Tolerance
from safeconvert.errors import UnusableInput

Array = np.ndarray[Any, Any]
_ENDS = MappingProxyType({"float32": float(np.finfo(np.float32).max), "float64": float(np.finfo(np.float64).max)})
LEAST_ATOL = 1e-6
"""Below which the atol of a group is never narrowed: ten times what runtimes approximate a sigmoid to."""


@dataclass(frozen=True)
class Pair:
    """One output of both models for n samples, of the same shape.

    Attributes:
        name: the source output.
        source: as the model gave it, (n, ...).
        target: as the model gave it, in the source's order of dimensions, (n, ...).
        source_values: float64 (n, K); 0 throughout a sample that is not comparable, and 0 where `gone` says so.
        target_values: the same.
        finite: bool (n,), no NaN or Inf on either side.
        comparable: bool (n,), finite, or with the same NaN and Inf at the same positions where that is allowed.
        gone: bool (n, K), the positions of these; None where there are none.
        limits: (K,), the scale of each value's group where the output has several (see `groups`), inf elsewhere; else None.
    """

    name: str
    source: Array
    target: Array
    source_values: Array
    target_values: Array
    finite: Array
    comparable: Array
    gone: Array | None = None
    limits: Array | None = None

    @cached_property
    def distances(self) -> Array:
        """|source - target| of each value, (n, K)."""
        with np.errstate(over="ignore"):
            apart: Array = np.abs(self.source_values - self.target_values)
        return apart

    def max_abs(self) -> Array:
        """Largest |source - target| of each sample, (n,)."""
        return largest(self.distances)

    def relative(self) -> Array:
        """Largest distance of each sample, of its scale or, of a fill value, of that value; (n,)."""
        scale: Array = self.scale()
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            if self._fills is None:
                return np.where(self.max_abs() == 0, 0.0, self.max_abs() / scale)
            own = np.where(self._fills, np.abs(self.source_values), scale[:, None])
            return largest(np.where(self.distances == 0, 0.0, self.distances / own))

    def bound(self, tolerance: Tolerance) -> Array:
        """The distance allowed to each sample, (n,); see `Tolerance`."""
        bound: Array = tolerance.atol + tolerance.rtol * self.scale()
        return bound

    def ranked(self, values: Array) -> Array:
        """The values for a choice among them: what is NaN or Inf on both sides is never chosen."""
        return values if self.gone is None else np.where(self.gone, -np.inf, values)

    def scale(self) -> Array:
        """Largest |source| of each sample, fill values left out, (n,)."""
        return largest(self.source_values if self._fills is None else np.where(self._fills, 0.0, self.source_values))

    def within(self, tolerance: Tolerance) -> Array:
        """Whether each sample's distance is within tolerance, bool (n,); of a fill value, within the rtol of that value."""
        if self._fills is None and not self.unit and self.limits is None:
            return np.asarray(self.max_abs() <= self.bound(tolerance))
        return np.asarray((self.distances <= self.bounds(tolerance)).all(axis=1))

    def bounds(self, tolerance: Tolerance) -> Array:
        """The distance allowed to each value, (n, K): of its sample's scale, of its group's, or of a fill value that value."""
        own = self.spacing(self.source_values)
        if self._fills is not None:
            own = np.where(self._fills, np.maximum(own, tolerance.rtol * np.abs(self.source_values)), own)
        allowed = np.broadcast_to(self.bound(tolerance)[:, None], own.shape)
        if self.limits is not None:
            limits = self._group_scales(self.limits)
            atol = np.minimum(tolerance.atol, np.maximum(tolerance.rtol * limits, min(tolerance.atol, LEAST_ATOL)))
            allowed = np.minimum(allowed, atol + tolerance.rtol * limits)
        return np.asarray(np.maximum(allowed, own))

    def _group_scales(self, limits: Array) -> Array:
        """The scale of each value's group, (n, K): its range over all inputs, or what it is in this sample where that is more."""
        found = np.broadcast_to(limits, self.source_values.shape).copy()
        sizes = np.abs(self.source_values)
        for limit in np.unique(limits[np.isfinite(limits)]):
            inside = limits == limit
            found[:, inside] = np.maximum(limit, sizes[:, inside].max(axis=1))[:, None]
        return found

    def share(self, tolerance: Tolerance) -> Array:
        """The largest distance of each sample as a share of what is allowed, (n,); inf beyond a bound of 0."""
        with np.errstate(divide="ignore", invalid="ignore"):
            shares = np.where(self.distances == 0, 0.0, self.distances / self.bounds(tolerance))
        return np.asarray(shares.max(axis=1, initial=0.0))

    def spacing(self, values: Array) -> Array:
        """Distance of each number to the next of the 16-bit type; 0 where there is none."""
        return np.ldexp(self.unit, np.frexp(values)[1] - 1) if self.unit else np.zeros(values.shape)

    @property
    def unit(self) -> float:
        """Distance of 1 to the next number of a 16-bit type on either side; 0 where both have more."""
        return max(_half_unit(self.source), _half_unit(self.target))

    @cached_property
    def _fills(self) -> Array | None:
        """Which values are mask values (-1e9), bool (n, K); None where there are none."""
        found = [fills(np.abs(row)) for row in self.source_values]
        if all(one is None for one in found):
            return None
        none = np.zeros(self.source_values.shape[1], dtype=bool)
        return np.stack([none if one is None else one for one in found])


def pair_up(name: str, source: Array, target: Array, nonfinite: bool = False) -> Pair:
    """Prepare two arrays of the same shape (n, ...) for comparison.

    Args:
        name: of the output.
        source, target: its values.
        nonfinite: samples with the same NaN and Inf at the same positions are comparable.

    Raises:
        UnusableInput: the output is not numeric.
    """
    ours, theirs = _real(name, source), _real(name, target)
    left, right = is_finite(source, ours), is_finite(target, theirs)
    finite: Array = np.asarray(left.all(axis=1) & right.all(axis=1))
    if finite.all():
        return Pair(name, source, target, ours, theirs, finite, finite)
    gone, comparable = None, finite
    if nonfinite:
        same = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
        comparable = np.asarray(((left & right) | same).all(axis=1) & (left == right).all(axis=1))
        gone = ~left & comparable[:, None]
    kept = comparable[:, None] if gone is None else comparable[:, None] & ~gone
    ours, theirs = (np.where(kept, values, 0.0) for values in (ours, theirs))
    return Pair(name, source, target, ours, theirs, finite, comparable, gone)


def is_finite(stored: Array, values: Array | None = None) -> Array:
    """Which numbers are neither NaN nor Inf nor at the end of their type, bool.

    Args:
        stored: as the model gave them.
        values: the same numbers in another form; its shape is the answer's.
    """
    values = stored if values is None else values
    end = _ENDS.get(stored.dtype.name)
    return np.isfinite(values) if end is None else np.asarray((values > -end) & (values < end))


def _real(name: str, array: Array) -> Array:
    if array.dtype.kind in "OSUMm":
        raise UnusableInput(f"output {name} holds {array.dtype}, which has no distance", "leave that output out")
    return flatten(parts(array)).astype(np.float64)


def parts(array: Array) -> Array:
    """Complex numbers as pairs; other numbers as they are."""
    return np.stack([array.real, array.imag], axis=-1) if array.dtype.kind == "c" else array


def flatten(array: Array) -> Array:
    """(n, ...) as (n, K), also for empty arrays."""
    return array.reshape(len(array), int(np.prod(array.shape[1:])))


def _half_unit(values: Array) -> float:
    """Distance of 1 to the next number of a 16-bit float type; 0 for any other."""
    return UNITS.get(values.dtype.name, 0.0)


def largest(values: Array) -> Array:
    """Largest magnitude of each row, (n,); 0 of an empty one."""
    found: Array = np.abs(values).max(axis=1, initial=0.0)
    return found
