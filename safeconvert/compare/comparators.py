"""When do two outputs of one sample agree? One function for each comparator, in one table.

| kind | a sample agrees where | distance too? |
|---|---|---|
| `label` | the top-1 labels are the same, or tied | yes: within tolerance for the models to be equal |
| `top1` | the top-1 labels are the same, or tied | no |
| `topk` | the k best labels are the same set in any order, or differ in tied labels only | no |
| `allclose` | the distance is within tolerance | it is the distance |
| `cosine` | 1 - cos of the two outputs is at most `cosine_threshold`; two zero vectors agree | no |
| `exact` | every number is the same | no |
| `package.module:function` | the user's function decides (see `custom`) | no |

Tie: the source itself does not tell the labels in question apart at the tolerance, so neither answer is wrong.
`label`, `top1`: the labels differ, and the *source's* scores of the two differ by no more than the tolerance. `topk`:
the source's score of every label that only one side has differs from its k-th best score by no more than the tolerance.
A tie agrees, and is counted apart.

Outputs of 16 bits: each number may be one unit in its own last place off (of float16 4.9e-4 to 9.8e-4 of it), which is how far two
right models lie apart that round one last sum differently. `exact` requires the same bits.

Scale: mask values (masked logits of -1e9) are no part of it; beside them every distance would be small
and every label a tie. They are compared by their own size.

NaN or Inf on either side is never agreement, also where both sides have it at the same position; nor is a number at the very
end of its type, which is what some runtimes write for an infinity. Where the settings allow it (`nonfinite`), a sample is compared whose
NaN, Inf and such numbers stand at the same positions on both sides and are the same there: they are no part of scale, distance or
rank, and the rest is compared as ever. Distances are computed in
float64 (complex numbers as pairs); `exact` compares the numbers as they are stored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from safeconvert.compare.mask_values import fills
from safeconvert.compare.quantized import is_quantized
from safeconvert.compare.settings import Tolerance, VerifySettings
from safeconvert.core.signature import TensorSpec
from safeconvert.errors import UnusableInput

Array = np.ndarray[Any, Any]
_ENDS = MappingProxyType({"float32": float(np.finfo(np.float32).max), "float64": float(np.finfo(np.float64).max)})
LEAST_ATOL = 1e-6
"""Below which the atol of a group is never narrowed: ten times what runtimes approximate a sigmoid to."""
_HALF_UNITS = MappingProxyType({"float16": 2.0**-10, "bfloat16": 2.0**-7})


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
        return _largest(self.distances)

    def relative(self) -> Array:
        """Largest distance of each sample, of its scale or, of a fill value, of that value; (n,)."""
        scale: Array = self.scale()
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            if self._fills is None:
                return np.where(self.max_abs() == 0, 0.0, self.max_abs() / scale)
            own = np.where(self._fills, np.abs(self.source_values), scale[:, None])
            return _largest(np.where(self.distances == 0, 0.0, self.distances / own))

    def bound(self, tolerance: Tolerance) -> Array:
        """The distance allowed to each sample, (n,); see `Tolerance`."""
        bound: Array = tolerance.atol + tolerance.rtol * self.scale()
        return bound

    def ranked(self, values: Array) -> Array:
        """The values for a choice among them: what is NaN or Inf on both sides is never chosen."""
        return values if self.gone is None else np.where(self.gone, -np.inf, values)

    def scale(self) -> Array:
        """Largest |source| of each sample, fill values left out, (n,)."""
        return _largest(self.source_values if self._fills is None else np.where(self._fills, 0.0, self.source_values))

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


class Agreement(NamedTuple):
    """What a comparator finds for n samples; bool (n,) each.

    Attributes:
        agree: not a disagreement (ties agree).
        tie: agrees only because of a tie.
        within: the distance is within tolerance; all True for comparators that do not ask for it.
    """

    agree: Array
    tie: Array
    within: Array


Comparator = Callable[[Pair, Tolerance, VerifySettings], Agreement]


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


def compare(comparator: Comparator, pair: Pair, settings: VerifySettings) -> Agreement:
    """Apply a comparator; samples that are not comparable never agree."""
    agree, tie, within = comparator(pair, settings.tolerance_for(pair.name), settings)
    return Agreement(agree & pair.comparable, tie & pair.comparable, within & pair.comparable)


def choose(output: TensorSpec | Array) -> str:
    """The default comparator of an output.

    `label` for class scores: floats of shape (N, K), K ≥ 2, also with further dimensions of size 1; `allclose` for
    other floats and complex numbers; `exact` for integers and bools.
    """
    if isinstance(output, TensorSpec):
        dtype = "float32" if is_quantized(output) else output.dtype
    else:
        dtype = str(output.dtype)
    if not dtype.startswith(("float", "bfloat", "complex")):
        return "exact"
    return "label" if not dtype.startswith("complex") and is_scores(output.shape) else "allclose"


def kind_for(name: str, output: Array, settings: VerifySettings) -> str:
    """The comparator of one output under the settings.

    The requested one, where it can be applied. Label comparators leave out what has no class dimension, and integers
    are compared exactly unless the output has a tolerance of its own: a share of the largest id is no measure for ids.
    """
    requested = settings.comparator
    if requested in ("label", "top1", "topk"):
        return requested if is_scores(output.shape) and output.dtype.kind != "c" else choose(output)
    if requested in ("allclose", "cosine") and choose(output) == "exact" and name not in settings.tolerances:
        return "exact"
    return requested or choose(output)


def is_scores(shape: tuple[int | None, ...]) -> bool:
    """Whether a shape (batch first) has exactly one dimension of more than one class; a free one may have."""
    return len(shape) >= 2 and sum(size != 1 for size in shape[1:]) == 1 and 0 not in shape[1:]


def _label(pair: Pair, tolerance: Tolerance, settings: VerifySettings) -> Agreement:
    agree, tie, _ = _top1(pair, tolerance, settings)
    return Agreement(agree, tie, pair.within(tolerance))


def _top1(pair: Pair, tolerance: Tolerance, settings: VerifySettings) -> Agreement:
    ours, theirs = (pair.ranked(values).argmax(axis=1) for values in (pair.source_values, pair.target_values))
    rows = np.arange(len(ours))
    gap = pair.source_values[rows, ours] - pair.source_values[rows, theirs]
    one_unit = pair.spacing(pair.source_values[rows, ours])
    tie = (ours != theirs) & (gap <= np.maximum(pair.bound(tolerance), one_unit))
    return _plain((ours == theirs) | tie, tie)


def _topk(pair: Pair, tolerance: Tolerance, settings: VerifySettings) -> Agreement:
    classes, k = pair.source_values.shape[1], settings.top_k
    if k >= classes:
        raise UnusableInput(
            f"output {pair.name} has {classes} classes: their top {k} are always the same", "give a smaller top-k"
        )
    ours, theirs = (_best(pair.ranked(values), k) for values in (pair.source_values, pair.target_values))
    differs = ours ^ theirs
    kth = np.where(ours, pair.source_values, np.inf).min(axis=1, keepdims=True)
    allowed = np.maximum(pair.bound(tolerance)[:, None], pair.spacing(pair.source_values))
    clear = np.abs(pair.source_values - kth) > allowed
    tie = differs.any(axis=1) & ~(differs & clear).any(axis=1)
    return _plain(~differs.any(axis=1) | tie, tie)


def _allclose(pair: Pair, tolerance: Tolerance, settings: VerifySettings) -> Agreement:
    within = pair.within(tolerance)
    return Agreement(within, np.zeros_like(within), within)


def _cosine(pair: Pair, tolerance: Tolerance, settings: VerifySettings) -> Agreement:
    ours, theirs = _unit(pair.source_values), _unit(pair.target_values)
    # |u - v|^2 / 2 is 1 - cos of unit vectors without its cancellation; a zero vector has no direction
    apart = ((ours - theirs) ** 2).sum(axis=1) / 2
    one_is_zero = ours.any(axis=1) != theirs.any(axis=1)
    return _plain(np.asarray((apart <= settings.cosine_threshold) & ~one_is_zero))


def _exact(pair: Pair, tolerance: Tolerance, settings: VerifySettings) -> Agreement:
    if pair.gone is not None:
        left, right = (_parts(side).reshape(pair.gone.shape) for side in (pair.source, pair.target))
        return _plain(np.asarray(((left == right) | pair.gone).all(axis=1)))
    same: Array = np.asarray(pair.source == pair.target)
    return _plain(np.asarray(_flatten(same).all(axis=1)))


COMPARATORS: Mapping[str, Comparator] = MappingProxyType(
    {"label": _label, "top1": _top1, "topk": _topk, "allclose": _allclose, "cosine": _cosine, "exact": _exact}
)


def _plain(agree: Array, tie: Array | None = None) -> Agreement:
    return Agreement(agree, np.zeros_like(agree) if tie is None else tie, np.ones_like(agree))


def _real(name: str, array: Array) -> Array:
    if array.dtype.kind in "OSUMm":
        raise UnusableInput(f"output {name} holds {array.dtype}, which has no distance", "leave that output out")
    return _flatten(_parts(array)).astype(np.float64)


def _parts(array: Array) -> Array:
    """Complex numbers as pairs; other numbers as they are."""
    return np.stack([array.real, array.imag], axis=-1) if array.dtype.kind == "c" else array


def _flatten(array: Array) -> Array:
    """(n, ...) as (n, K), also for empty arrays."""
    return array.reshape(len(array), int(np.prod(array.shape[1:])))


def _half_unit(values: Array) -> float:
    """Distance of 1 to the next number of a 16-bit float type; 0 for any other."""
    return _HALF_UNITS.get(values.dtype.name, 0.0)


def _largest(values: Array) -> Array:
    largest: Array = np.abs(values).max(axis=1, initial=0.0)
    return largest


def _best(values: Array, k: int) -> Array:
    chosen = np.zeros(values.shape, dtype=bool)
    np.put_along_axis(chosen, np.argsort(-values, axis=1, kind="stable")[:, :k], True, axis=1)
    return chosen


def _unit(values: Array) -> Array:
    largest = _largest(values)[:, None]
    scaled = np.divide(values, largest, out=np.zeros_like(values), where=largest > 0)
    norm = np.linalg.norm(scaled, axis=1, keepdims=True)
    unit: Array = np.divide(scaled, norm, out=np.zeros_like(scaled), where=norm > 0)
    return unit
