"""Which source dimension is which target dimension, determined from declared facts and never by trying values.

A permutation p means: target dimension j is source dimension p[j] (`source.transpose(p)` is the target's array).
The facts, strongest first:

1. what the user requested (`Override`);
2. what the converter's adapter declared;
3. the declared shapes. Candidates are the same order and, for 3 to 5 dimensions, channels second → last and last →
   second. A candidate fits where each pair of dimensions is equal or one of the two is free; dimension 0 is the batch
   and may differ. If one candidate fits, it is the order;
4. the declared layouts, where both models declare one and several candidates fit;
5. among those that fit, the one under which most fixed dimensions are equal (free ones fit anything). Identical fixed
   shapes come out as "same order" here, unless channels and all spatial sizes are the same number.

What is still undecided is an error: an order chosen by results would hide the very faults that are looked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from safeconvert.core.permutation import Permutation, channels_last, channels_second
from safeconvert.core.signature import TensorSpec
from safeconvert.errors import NotEquivalent, UnusableInput

Override = Literal["keep", "NCHW->NHWC", "NHWC->NCHW"]


class LayoutMismatch(NotEquivalent):
    """Source and target declare tensors that cannot be the same (input dimension or tensor shape fault)."""


class LayoutAmbiguous(UnusableInput):
    """Several orders of dimensions are possible, and no declared fact decides."""


@dataclass(frozen=True)
class TensorContract:
    """How one source tensor and one target tensor correspond.

    Attributes:
        source: as the source model declares it.
        target: as the target model declares it.
        permutation: target dimension j is source dimension permutation[j]; None = same order.
        reason: which fact decided.
    """

    source: TensorSpec
    target: TensorSpec
    permutation: Permutation | None
    reason: str


def align_dimensions(
    source: TensorSpec,
    target: TensorSpec,
    declared: Permutation | None = None,
    declared_known: bool = False,
    override: Override | None = None,
) -> TensorContract:
    """The order of dimensions of one tensor; see the module's text for the rules.

    Args:
        source: the tensor in the source model.
        target: the tensor in the target model.
        declared: the permutation that the converter's adapter declared.
        declared_known: with `declared=None`: the adapter declared that the order is unchanged.
        override: the order that the user requested.

    Raises:
        LayoutMismatch: the shapes agree in no order, or not in the declared one.
        LayoutAmbiguous: the facts leave several orders.
        UnusableInput: the shapes do not agree in the order that the user requested, but do in another.
    """
    rank = len(source.shape)
    fitting = [order for order in orders(rank) if fits(source, target, order)]
    if override is not None:
        order = override_order(override, rank)
        if order is not None and fits(source, target, order):
            return _aligned(source, target, order, f"requested: {override}")
        if fitting:
            raise UnusableInput(
                f"target layout {override} does not fit {show(source)} and {show(target)}",
                "leave --target-layout out, or give the one that the shapes allow",
            )
    elif declared is not None or declared_known:
        order = tuple(range(rank)) if declared is None else declared
        if not fits(source, target, order):
            raise _mismatch(source, target, f"in the order {list(order)} that the converter declares")
        return _aligned(source, target, order, "declared by the converter")
    if not fitting:
        raise _mismatch(source, target, "in any order of dimensions")
    if len(fitting) == 1:
        return _aligned(source, target, fitting[0], "the only order in which the shapes agree")
    by_layout = _layout_order(source, target)
    if by_layout in fitting:
        return _aligned(source, target, by_layout, f"declared layouts {source.layout} and {target.layout}")
    support = [_equal_dimensions(source, target, order) for order in fitting]
    best = max(support)
    if support.count(best) == 1:
        order = fitting[support.index(best)]
        return _aligned(source, target, order, "the order in which most fixed dimensions are equal")
    raise LayoutAmbiguous(
        f"{show(source)} and {show(target)}: the shapes agree in several orders of dimensions",
        "choose one with --target-layout keep, NCHW->NHWC or NHWC->NCHW",
    )


def fits(source: TensorSpec, target: TensorSpec, order: Permutation) -> bool:
    """Whether two declared shapes agree under a permutation; the batch (dimension 0 on both sides) may differ."""
    if not len(source.shape) == len(target.shape) == len(order) or sorted(order) != list(range(len(order))):
        return False
    pairs = ((source.shape[axis], target.shape[j]) for j, axis in enumerate(order) if j or axis)
    return all(one is None or two is None or one == two for one, two in pairs)


def override_order(override: Override, rank: int) -> Permutation | None:
    """The permutation that an override means; None where a tensor of that rank has no channel dimension."""
    if override == "keep":
        return tuple(range(rank))
    if not 3 <= rank <= 5:
        return None
    return channels_last(rank) if override == "NCHW->NHWC" else channels_second(rank)


def apply_permutation(array: np.ndarray[Any, Any], permutation: Permutation | None) -> np.ndarray[Any, Any]:
    """A source-ordered array in the target's order (a view). Raises ValueError on another number of dimensions."""
    return array if permutation is None else array.transpose(permutation)


def undo_permutation(array: np.ndarray[Any, Any], permutation: Permutation | None) -> np.ndarray[Any, Any]:
    """A target-ordered array in the source's order: the inverse of `apply_permutation`."""
    return array if permutation is None else array.transpose(np.argsort(permutation))


def show(spec: TensorSpec) -> str:
    """Name and shape for a message: `image [?, 3, 224, 224]`."""
    return f"{spec.name} [{', '.join('?' if size is None else str(size) for size in spec.shape)}]"


def orders(rank: int) -> list[Permutation]:
    """The orders that frameworks move tensors into: the same, channels last, channels second."""
    same = tuple(range(rank))
    return list(dict.fromkeys((same, channels_last(rank), channels_second(rank)))) if 3 <= rank <= 5 else [same]


def _layout_order(source: TensorSpec, target: TensorSpec) -> Permutation | None:
    rank = len(source.shape)
    orders = {("NCHW", "NHWC"): channels_last(rank), ("NHWC", "NCHW"): channels_second(rank)}
    if source.layout is not None and source.layout == target.layout:
        return tuple(range(rank))
    return orders.get((source.layout or "", target.layout or ""))


def _equal_dimensions(source: TensorSpec, target: TensorSpec, order: Permutation) -> int:
    return sum(source.shape[axis] is not None and source.shape[axis] == target.shape[j] for j, axis in enumerate(order))


def _aligned(source: TensorSpec, target: TensorSpec, order: Permutation, reason: str) -> TensorContract:
    return TensorContract(source, target, None if order == tuple(range(len(order))) else order, reason)


def _mismatch(source: TensorSpec, target: TensorSpec, how: str) -> LayoutMismatch:
    if _are_parts(source, target):
        return LayoutMismatch(
            f"source {show(source)} is {source.dtype}, and target {show(target)} has its real and imaginary parts as a last dimension: "
            "ONNX, by which the route goes, has no complex numbers",
            "let the source model end in the parts (torch.view_as_real, or tf.stack of tf.math.real and tf.math.imag), and convert that",
        )
    return LayoutMismatch(
        f"source {show(source)} and target {show(target)} do not agree {how}",
        "convert again with the source's own input shape (--input-shape), or check that the two files belong together",
    )


def _are_parts(source: TensorSpec, target: TensorSpec) -> bool:
    """Whether the source is complex and the target has a dimension of two more, as converters write complex numbers."""
    longer = len(target.shape) == len(source.shape) + 1 and target.shape[-1] == 2
    return longer and source.dtype.startswith("complex") and not target.dtype.startswith("complex")
