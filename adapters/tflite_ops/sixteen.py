"""Operators on words of 16 bits with weights in eight (int16x8): LiteRT's own kernels, since XNNPACK takes none of them.

A product of words is beyond float32. What is multiplied by weights is taken apart into its upper and its lower byte, whose sums are exact, and both are
put together in float64. Source of the arithmetic: TensorFlow Lite's `reference_integer_ops`, compared with LiteRT word by word.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from . import moves
from .file import Array
from .graph import Operator, Rule
from .means import pooling
from .pairs import both, give
from .rounding import clipped, multiplied, of_31_bits, scaled, scaled_once
from .sums import Window, constant, spans
from .tables import each

ALONE = ("ABS", "EXP", "GELU", "LEAKY_RELU", "LOGISTIC", "RELU", "RELU6", "TANH")
"""Functions of one word, whose 65536 values are asked of LiteRT."""
MOVED = (
    "CONCATENATION", "EXPAND_DIMS", "GATHER", "MAXIMUM", "MAX_POOL_2D", "MINIMUM", "PACK", "PAD", "RESHAPE", "SHAPE", "SPLIT", "SQUEEZE",
    "STRIDED_SLICE", "TILE", "TRANSPOSE", "UNPACK",
)  # fmt: skip
"""Words moved or compared, of one scale."""
_LEFT = 15  # bits by which both sides of a sum are raised before they are scaled
_HOLDS = 2.0**62
_WORD = 2.0**15  # no word is farther from zero
_BYTE = 256
_WINDOW = 64  # words of a mean over a window, which float32 tells from those next to a half


def _require_words(o: Operator, *places: int) -> None:
    """Raise UnusableInput where operands or the output are of another type than int16."""
    if any(tensor.kind != "int16" for tensor in (*map(o.tensor, places), o.output)):
        raise o.refuse("has operands or an output of another type than int16")


def convolved(o: Operator, weights: Array, own: Window) -> None:
    """Times a multiplier of 16 bits, half up."""

    def part(name: str, begin: int, end: int) -> str:
        cut = name
        if (begin, end) != (0, weights.shape[1]):
            cut = o.write("Slice", name, *(o.write.whole(one) for one in (begin, end, 1)))
        return str(
            o.write(
                "Conv", cut, o.write.constant(weights[:, begin:end]), kernel_shape=weights.shape[2:], strides=own.strides,
                dilations=own.dilations, group=own.group, auto_pad="SAME_UPPER" if own.same else "VALID",
            )
        )  # fmt: skip

    form = (-1, 1, 1)
    made, most = _biased(o, _sum(o, o.second(), weights, part, splits=own.group == 1), form)
    if (_reach(weights) + most) * 2.0**16 >= _HOLDS:
        raise o.refuse("has sums that 64 bits do not hold when they are scaled")
    given = o.write("Cast", scaled_once(o, made, _factors(o).reshape(form), 16), to=1)
    o.give(second=clipped(o, given, o.option("fusedActivationFunction")))


def dense(o: Operator) -> None:
    """FULLY_CONNECTED: times a factor in float64, half away from zero; without keep_num_dims all but the last axis are one."""
    weights = constant(o, 1)
    name = o.last()
    if not o.option("keepNumDims") and (len(o.tensor(0).shape) != 2 or o.tensor(0).shape[1] != weights.shape[1]):
        name = o.write("Reshape", name, o.write.whole(-1, weights.shape[1]))

    def part(name: str, begin: int, end: int) -> str:
        cut = name
        if (begin, end) != (0, weights.shape[1]):
            cut = o.write("Slice", name, *(o.write.whole(one) for one in (begin, end, -1)))
        return str(o.write("MatMul", cut, o.write.constant(weights[:, begin:end].T)))

    made, most = _biased(o, _sum(o, name, weights, part, splits=True), (-1,))
    if _reach(weights) + most >= 2.0**53:
        raise o.refuse("has sums that float64 does not hold exactly")
    rounded = _half_away(o, o.write("Mul", made, o.write.constant(_factors(o))))
    o.give(last=clipped(o, o.write("Cast", rounded, to=1), o.option("fusedActivationFunction")))


def _sum(o: Operator, name: str, weights: Array, part: Callable[[str, int, int], str], splits: bool) -> str:
    """Words times weights, in float64: of the upper and of the lower bytes, each exact in float32."""
    _require_words(o, 0)
    upper = o.write("Floor", o.write("Mul", name, o.write.constant(1 / _BYTE)))
    lower = o.write("Sub", name, o.write("Mul", upper, o.write.constant(_BYTE)))
    total = ""
    for half, factor in ((upper, _BYTE), (lower, 1)):
        for begin, end in spans(o, weights, _BYTE, 0.0, splits):
            wide = o.write("Cast", part(half, begin, end), to=11)
            wide = wide if factor == 1 else o.write("Mul", wide, o.write.constant(np.float64(factor)))
            total = o.write("Add", total, wide) if total else wide
    return total


def _biased(o: Operator, name: str, form: tuple[int, ...]) -> tuple[str, float]:
    """A sum in float64 with the bias, and the largest bias. Raises UnusableInput for one that is computed or of another type."""
    if not o.has(2):
        return name, 0.0
    bias = o.tensor(2).array
    if bias is None or o.tensor(2).kind != "int64":
        raise o.refuse("has a bias that is computed, or not of 64 bits")
    wide = bias.astype(np.float64)
    return o.write("Add", name, o.write.constant(wide.reshape(form))), float(np.abs(wide).max(initial=0))


def _factors(o: Operator) -> Array:
    """By what a sum is multiplied, in float64, a factor or one an output channel."""
    return np.asarray(
        np.float64(o.tensor(0).scale) * o.tensor(1).scales.astype(np.float64) / np.float64(o.output.scale)
    )


def _reach(weights: Array) -> float:
    return float(np.abs(weights).reshape(len(weights), -1).sum(1, dtype=np.float64).max()) * _WORD


def _half_away(o: Operator, name: str) -> str:
    """A float64 rounded, half away from zero."""
    raised = o.write("Add", o.write("Abs", name), o.write.constant(np.float64(0.5)))
    return str(o.write("Mul", o.write("Sign", name), o.write("Floor", raised)))


def total(sign: int) -> Rule:
    """ADD and SUB: both sides in a common fixed point, their sum scaled down, each rounded twice; both sides of an ADD of one shape once."""

    def rule(o: Operator) -> None:
        _require_words(o, 0, 1)
        if o.option("potScaleInt16"):
            raise o.refuse("has scales that are powers of two")
        one, two, second = both(o)
        own = [np.float64(o.tensor(place).scale) for place in (0, 1)]
        twice = 2 * max(own)
        raised = scaled_once if sign > 0 and _of_one_shape(o) else scaled
        parts = [
            raised(o, o.write("Mul", name, o.write.constant(1 << _LEFT)), np.asarray(scale / twice))
            for name, scale in zip((one, two), own, strict=True)
        ]
        made = o.write("Add" if sign > 0 else "Sub", *parts)
        factor = np.asarray(twice / ((1 << _LEFT) * np.float64(o.output.scale)))
        given = o.write("Cast", scaled(o, made, factor), to=1)
        give(o, clipped(o, given, o.option("fusedActivationFunction")), second)

    return rule


def _of_one_shape(o: Operator) -> bool:
    """Whether both operands have one shape. Raises UnusableInput where that depends on a size that is free."""
    one, two = (o.tensor(place).shape for place in (0, 1))
    if (
        one != two
        and len(one) == len(two)
        and all(a == b or ((a or b) == 1 and None in (a, b)) for a, b in zip(one, two, strict=True))
    ):
        raise o.refuse("has operands of which a free size decides whether they are of one shape")
    return one == two


def times(o: Operator) -> None:
    """MUL: the product of two words times a 31-bit multiplier, rounded twice."""
    _require_words(o, 0, 1)
    one, two, second = both(o)
    made = o.write("Mul", *(o.write("Cast", name, to=7) for name in (one, two)))
    factor = np.float64(o.tensor(0).scale * o.tensor(1).scale / o.output.scale)
    given = o.write("Cast", scaled(o, made, np.asarray(factor)), to=1)
    give(o, clipped(o, given, o.option("fusedActivationFunction")), second)


def batched(o: Operator) -> None:
    """BATCH_MATMUL: sums of products of two words, times a multiplier of 16 bits, half up."""
    _require_words(o, 0, 1)
    depth = o.tensor(0).shape[-2 if o.option("adjX") else -1]
    if depth is None or depth * _WORD * _WORD * 2.0**16 >= _HOLDS:
        raise o.refuse("has sums that 64 bits do not hold when they are scaled")
    names = []
    for place, option in ((0, "adjX"), (1, "adjY")):
        rank = len(o.tensor(place).shape)
        order = [*range(rank - 2), rank - 1, rank - 2]
        turned = o.write("Transpose", o.last(place), perm=order) if o.option(option) else o.last(place)
        names.append(o.write("Cast", turned, to=11))
    factor = np.float64(o.tensor(0).scale) * np.float64(o.tensor(1).scale) / np.float64(o.output.scale)
    made = scaled_once(o, o.write("MatMul", *names), np.asarray(factor), 16)
    o.give(last=clipped(o, o.write("Cast", made, to=1)))


def mean(o: Operator) -> None:
    """MEAN: an exact sum, times a 31-bit multiplier that holds the number of elements, rounded twice."""
    rank = len(o.tensor(0).shape)
    axes = tuple(sorted(axis % rank for axis in o.integers(1)))
    sizes = [o.tensor(0).shape[axis] for axis in axes]
    _require_words(o, 0)
    if any(size is None for size in sizes):
        raise o.refuse("reduces an axis whose size is free")
    count = int(np.prod([int(size or 0) for size in sizes]))
    if count * _WORD >= 2.0**31:
        raise o.refuse("sums more words than 32 bits hold")
    wide = o.write("Cast", o.last(), to=11)
    made = o.write("ReduceSum", wide, o.write.whole(*axes), keepdims=int(bool(o.option("keepDims"))))
    multiplier, exponent = map(int, of_31_bits(np.asarray(np.float64(o.tensor(0).scale) / np.float64(o.output.scale))))
    shift = min(count.bit_length() - 1, 32, 31 + exponent)
    given = multiplied(o, made, (multiplier << shift) // count, exponent - shift)
    o.give(last=clipped(o, o.write("Cast", given, to=1)))


def average(o: Operator) -> None:
    """AVERAGE_POOL_2D: the mean of the words, half away from zero."""
    if o.option("filterHeight") * o.option("filterWidth") >= _WINDOW:
        raise o.refuse("has a window so large that float32 does not tell its means from those next to a half")
    pooling("AveragePool")(o)


def quantized(o: Operator) -> None:
    """QUANTIZE: of words to words of another scale by a table, of float32 as into bytes."""
    if o.tensor(0).kind == o.output.kind == "int16":
        return each()(o)
    if o.tensor(0).kind != "float32":
        raise o.refuse("reads or gives another type than float32 and int16")
    return moves.quantized(o)
