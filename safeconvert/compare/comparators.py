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

What of an output is compared, its scale and its distances: see `output_pair`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from safeconvert.compare.output_pair import Array, Pair, flatten, largest, parts
from safeconvert.compare.quantized import is_quantized
from safeconvert.compare.settings import Tolerance, VerifySettings
from safeconvert.core.signature import TensorSpec
from safeconvert.errors import UnusableInput


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


def compare(comparator: Comparator, pair: Pair, settings: VerifySettings) -> Agreement:
    """Apply a comparator; samples that are not comparable never agree."""
    if not pair.source_values.size:  # nothing in it that could differ
        nothing = np.zeros_like(pair.comparable)
        return Agreement(pair.comparable, nothing, pair.comparable)
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
        left, right = (parts(side).reshape(pair.gone.shape) for side in (pair.source, pair.target))
        return _plain(np.asarray(((left == right) | pair.gone).all(axis=1)))
    same: Array = np.asarray(pair.source == pair.target)
    return _plain(np.asarray(flatten(same).all(axis=1)))


COMPARATORS: Mapping[str, Comparator] = MappingProxyType(
    {"label": _label, "top1": _top1, "topk": _topk, "allclose": _allclose, "cosine": _cosine, "exact": _exact}
)


def _plain(agree: Array, tie: Array | None = None) -> Agreement:
    return Agreement(agree, np.zeros_like(agree) if tie is None else tie, np.ones_like(agree))


def _best(values: Array, k: int) -> Array:
    chosen = np.zeros(values.shape, dtype=bool)
    np.put_along_axis(chosen, np.argsort(-values, axis=1, kind="stable")[:, :k], True, axis=1)
    return chosen


def _unit(values: Array) -> Array:
    sizes = largest(values)[:, None]
    scaled = np.divide(values, sizes, out=np.zeros_like(values), where=sizes > 0)
    norm = np.linalg.norm(scaled, axis=1, keepdims=True)
    unit: Array = np.divide(scaled, norm, out=np.zeros_like(scaled), where=norm > 0)
    return unit
