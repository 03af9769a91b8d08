"""Interval bounds of one operator's output from those of its inputs; an operator without a rule has none.

A bound is a pair of float64 arrays (least, largest), each () or (K,) along a tensor's last axis. Sums of many products are widened by
what float32 rounds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx

Array = np.ndarray[Any, Any]
Bound = tuple[Array, Array]
_ROUNDED = 1e-5  # of a sum's absolute terms
_TYPES = {onnx.TensorProto.INT8: (-128, 127), onnx.TensorProto.UINT8: (0, 255), onnx.TensorProto.INT16: (-(2**15), 2**15 - 1),
          onnx.TensorProto.UINT16: (0, 2**16 - 1), onnx.TensorProto.INT32: (-(2**31), 2**31 - 1), onnx.TensorProto.BOOL: (0, 1)}  # fmt: skip


@dataclass(frozen=True)
class Operands:
    """What a rule sees of a node.

    Attributes:
        bounds: of each input; None where it is left out.
        constants: the value of each input that is a constant; else None.
        attributes: by name.
        rank: dimensions of the output; 0 where it is not known.
    """

    bounds: Sequence[Bound | None]
    constants: Sequence[Array | None]
    attributes: Mapping[str, Any]
    rank: int = 0

    def bound(self, index: int) -> Bound:
        """Of an input; all numbers where it is left out."""
        found = self.bounds[index] if index < len(self.bounds) else None
        return found if found is not None else (np.float64(-np.inf), np.float64(np.inf))  # type: ignore[return-value]

    def constant(self, index: int) -> Array | None:
        """The value of an input that is a constant."""
        return self.constants[index] if index < len(self.constants) else None


def of_type(code: int) -> Bound | None:
    """What an element type holds, where that is no more than 32 bits of integers."""
    return tuple(np.asarray(end, dtype=np.float64) for end in _TYPES[code]) if code in _TYPES else None  # type: ignore[return-value]


def of_constant(value: Array) -> Bound | None:
    """Of each place along the last axis."""
    if value.dtype.kind not in "biuf" or not value.size:
        return None
    numbers = value.astype(np.float64)
    axes = tuple(range(max(0, numbers.ndim - 1)))
    return numbers.min(axis=axes), numbers.max(axis=axes)


def plain(bound: Bound) -> Bound:
    """One pair for all places, as reshaping leaves."""
    return np.asarray(bound[0].min()), np.asarray(bound[1].max())


def bound_of(kind: str, given: Operands) -> Bound | None:
    """The bound of a node's first output; None where nothing is known."""
    rule = RULES.get(kind)
    with np.errstate(all="ignore"):
        found = rule(given) if rule is not None else None
    if found is None or any(np.isnan(end).any() for end in found):
        return None
    return found


def _monotone(function: Callable[[Array], Array]) -> Callable[[Operands], Bound]:
    return lambda given: (np.asarray(function(given.bound(0)[0])), np.asarray(function(given.bound(0)[1])))


def _fixed(low: float, high: float) -> Callable[[Operands], Bound]:
    return lambda given: (np.asarray(low), np.asarray(high))


def _sigmoid(values: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-values)))


def _clip(given: Operands) -> Bound | None:
    low, high = given.bound(0)
    for index, name in ((1, "min"), (2, "max")):
        edge = given.attributes.get(name)
        found = given.constant(index)
        edge = float(found.ravel()[0]) if found is not None and found.size == 1 else edge
        if edge is None and index < len(given.bounds) and given.bounds[index] is not None:
            return None  # a bound that is computed
        if edge is not None:
            low, high = (np.maximum(low, edge), np.maximum(high, edge)) if index == 1 else (
                np.minimum(low, edge), np.minimum(high, edge))  # fmt: skip
    return np.asarray(low), np.asarray(high)


def _corners(function: Callable[[Array, Array], Array]) -> Callable[[Operands], Bound | None]:
    """Of a function that takes its least and largest value at corners."""

    def rule(given: Operands) -> Bound | None:
        one, two = given.bound(0), given.bound(1)
        if one[0].shape != two[0].shape and one[0].size != 1 and two[0].size != 1:
            one, two = plain(one), plain(two)
        made = [np.nan_to_num(function(a, b), nan=0.0, posinf=np.inf, neginf=-np.inf) for a in one for b in two]
        return np.asarray(np.min(made, axis=0)), np.asarray(np.max(made, axis=0))

    return rule


def _sum(given: Operands) -> Bound:
    (a, b), (c, d) = given.bound(0), given.bound(1)
    if a.shape != c.shape and a.size != 1 and c.size != 1:
        (a, b), (c, d) = plain((a, b)), plain((c, d))
    return np.asarray(a + c), np.asarray(b + d)


def _difference(given: Operands) -> Bound:
    low, high = given.bound(1)
    return _sum(Operands((given.bound(0), (-high, -low)), (), {}))


def _quotient(given: Operands) -> Bound | None:
    divisor = given.bound(1)
    if (divisor[0] <= 0).any():
        return None
    found = _corners(np.divide)(given)
    return None if found is None else _cut(found)


def _remainder(given: Operands) -> Bound | None:
    divisor = given.constant(1)
    if divisor is None or divisor.size != 1 or divisor.dtype.kind not in "iu" or divisor.ravel()[0] <= 0:
        return None
    most = float(divisor.ravel()[0]) - 1
    least = -most if given.attributes.get("fmod") and (given.bound(0)[0] < 0).any() else 0.0
    return np.asarray(least), np.asarray(most)


def _abs(given: Operands) -> Bound:
    low, high = given.bound(0)
    least = np.where((low <= 0) & (high >= 0), 0.0, np.minimum(np.abs(low), np.abs(high)))
    return np.asarray(least), np.asarray(np.maximum(np.abs(low), np.abs(high)))


def _union(*indices: int) -> Callable[[Operands], Bound]:
    def rule(given: Operands) -> Bound:
        found = [plain(given.bound(index)) for index in (indices or range(len(given.bounds)))]
        return np.asarray(min(one[0] for one in found)), np.asarray(max(one[1] for one in found))

    return rule


def _cut(bound: Bound) -> Bound:
    """Wide enough for numbers whose fraction is cut off."""
    low, high = bound
    return np.minimum(low, np.trunc(low)), np.maximum(high, np.trunc(high))


def _cast(given: Operands) -> Bound:
    if given.attributes.get("to") == onnx.TensorProto.BOOL:
        return np.asarray(0.0), np.asarray(1.0)
    return _cut(given.bound(0))


def _extreme(function: Callable[..., Any]) -> Callable[[Operands], Bound]:
    def rule(given: Operands) -> Bound:
        found = [plain(given.bound(index)) for index in range(len(given.bounds))]
        return np.asarray(function([one[0] for one in found])), np.asarray(function([one[1] for one in found]))

    return rule


def _filled(given: Operands) -> Bound:
    """What a Pad keeps, zeros, and what it fills in."""
    if len(given.bounds) < 3 or given.bounds[2] is None:
        return _padded(given)
    return _union(0, 2)(given)


def _moved(given: Operands) -> Bound:
    return plain(given.bound(0))


def _padded(given: Operands) -> Bound:
    """Of a pooling that may count zeros beyond the border."""
    low, high = plain(given.bound(0))
    return np.minimum(low, 0.0), np.maximum(high, 0.0)


def _products(weights: Array, bound: Bound, bias: Array | float) -> Bound:
    """Of sums of products with constant weights (I, K), the inputs within a bound of () or (I,)."""
    low, high = (np.broadcast_to(end, weights.shape[:1])[:, None] for end in bound)
    up, down = np.maximum(weights, 0), np.minimum(weights, 0)
    least, most = (np.nan_to_num(up * a, nan=0.0, posinf=np.inf, neginf=-np.inf)
                   + np.nan_to_num(down * b, nan=0.0, posinf=np.inf, neginf=-np.inf) for a, b in ((low, high), (high, low)))  # fmt: skip
    room = _ROUNDED * np.nan_to_num(
        np.abs(weights) * np.maximum(np.abs(low), np.abs(high)), nan=0.0, posinf=np.inf
    ).sum(axis=0)
    return least.sum(axis=0) + bias - room, most.sum(axis=0) + bias + room


def _matmul(given: Operands) -> Bound | None:
    weights = given.constant(1)
    if weights is None or weights.ndim != 2:
        return None
    bound = given.bound(0)
    fits = bound[0].shape in ((), (weights.shape[0],))
    return _products(weights.astype(np.float64), bound if fits else plain(bound), 0.0)


def _gemm(given: Operands) -> Bound | None:
    weights, bias = given.constant(1), given.constant(2)
    attributes = given.attributes
    if (
        weights is None
        or attributes.get("transA")
        or attributes.get("alpha", 1.0) != 1
        or attributes.get("beta", 1.0) != 1
    ):
        return None
    if len(given.bounds) > 2 and given.bounds[2] is not None and (bias is None or bias.ndim > 1):
        return None
    weights = weights.T if attributes.get("transB") else weights
    bound = given.bound(0)
    fits = bound[0].shape in ((), (weights.shape[0],))
    return _products(
        weights.astype(np.float64), bound if fits else plain(bound), 0.0 if bias is None else bias.astype(np.float64)
    )


def _conv(given: Operands) -> Bound | None:
    weights, bias = given.constant(1), given.constant(2)
    if weights is None or (len(given.bounds) > 2 and given.bounds[2] is not None and bias is None):
        return None
    flat = weights.reshape(len(weights), -1).T.astype(np.float64)
    return plain(_products(flat, _padded(given), 0.0 if bias is None else bias.astype(np.float64)))


def _softmax(given: Operands) -> Bound:
    low, high = given.bound(0)
    if not low.ndim or given.attributes.get("axis", -1) not in (-1, given.rank - 1):
        return np.asarray(0.0), np.asarray(1.0)
    top = np.where(np.isfinite(high), high, 700.0).max()
    least, most = np.exp(low - top), np.exp(np.minimum(high - top, 700.0))
    others_most, others_least = (1 + _ROUNDED) * (most.sum() - most), (1 - _ROUNDED) * (least.sum() - least)
    small = np.nan_to_num(least / (least + others_most), nan=0.0)
    return small, np.where(np.isfinite(high), np.nan_to_num(most / (most + others_least), nan=1.0), 1.0)


def _gather(given: Operands) -> Bound:
    table = given.constant(0)
    by_column = table is not None and table.ndim > 1 and not given.attributes.get("axis", 0)
    return given.bound(0) if by_column else plain(given.bound(0))


def _compared(decide: Callable[[Bound, Bound], tuple[bool, bool]]) -> Callable[[Operands], Bound]:
    """Of a comparison: whether it can be false, and whether it can be true."""

    def rule(given: Operands) -> Bound:
        never, always = decide(plain(given.bound(0)), plain(given.bound(1)))
        return np.asarray(float(always)), np.asarray(float(not never))

    return rule


RULES: Mapping[str, Callable[[Operands], Bound | None]] = {
    "Relu": _monotone(lambda v: np.maximum(v, 0.0)), "Clip": _clip, "Sigmoid": _monotone(_sigmoid), "Tanh": _monotone(np.tanh),
    "HardSigmoid": _fixed(0, 1), "Softmax": _softmax, "Abs": _abs, "Sqrt": _monotone(lambda v: np.sqrt(np.maximum(v, 0.0))),
    "Exp": _monotone(np.exp), "Floor": _monotone(np.floor), "Ceil": _monotone(np.ceil), "Round": _monotone(np.rint),
    "Sign": _monotone(np.sign), "Softplus": _fixed(0, np.inf), "Neg": lambda g: (-g.bound(0)[1], -g.bound(0)[0]),
    "Identity": lambda g: g.bound(0), "Dropout": lambda g: g.bound(0), "Add": _sum, "Sub": _difference,
    "Mul": _corners(np.multiply), "Div": _quotient, "Mod": _remainder, "MatMul": _matmul, "Gemm": _gemm, "Conv": _conv,
    "Concat": _union(), "Where": _union(1, 2), "Gather": _gather, "OneHot": _union(2), "Max": _extreme(np.max), "Min": _extreme(np.min),
    "AveragePool": _padded, "Pad": _filled, "Cast": _cast,
    **dict.fromkeys(("Reshape", "Flatten", "Transpose", "Squeeze", "Unsqueeze", "Slice", "Split", "Expand", "Tile", "MaxPool", "GlobalAveragePool", "GlobalMaxPool", "ReduceMean", "ReduceMax", "ReduceMin"), _moved),
    "Greater": _compared(lambda a, b: (bool(a[1] <= b[0]), bool(a[0] > b[1]))),
    "GreaterOrEqual": _compared(lambda a, b: (bool(a[1] < b[0]), bool(a[0] >= b[1]))),
    "Less": _compared(lambda a, b: (bool(a[0] >= b[1]), bool(a[1] < b[0]))),
    "LessOrEqual": _compared(lambda a, b: (bool(a[0] > b[1]), bool(a[1] <= b[0]))),
    "Equal": _compared(lambda a, b: (bool(a[1] < b[0] or a[0] > b[1]), bool(a[0] == a[1] == b[0] == b[1]))),
}  # fmt: skip
"""By operator. What is not here has no bound."""
