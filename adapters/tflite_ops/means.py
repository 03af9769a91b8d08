"""Means, sums and maxima along axes and over windows, and softmax."""

from __future__ import annotations

import numpy as np

from .graph import Operator, Rule
from .rounding import EXACT, activated, bounds, clipped

_SAME = 0
_BYTES = 256  # no byte is farther from zero, nor from its zero point
_CHAINED = 64  # elements that are added node by node


def mean(o: Operator) -> None:
    """MEAN: an exact sum, times a float32 factor that holds the number of elements."""
    _reduced(o, "ReduceSum" if o.quantized else "ReduceMean")


def total(o: Operator) -> None:
    """SUM."""
    _reduced(o, "ReduceSum")


def _reduced(o: Operator, operator: str) -> None:
    rank = len(o.tensor(0).shape)
    axes = tuple(sorted(axis % rank for axis in o.integers(1)))
    keep = int(bool(o.option("keepDims")))
    second = rank == 4 and o.is_second() and axes == (1, 2)
    name, placed = (o.second(), [2, 3]) if second else (o.last(), list(axes))
    if operator == "ReduceMean":
        made = o.write(operator, name, axes=placed, keepdims=keep)
    else:
        made = o.write(operator, name, o.write.whole(*placed), keepdims=keep)
    if o.quantized:
        sizes = [o.tensor(0).shape[axis] for axis in axes]
        if any(size is None for size in sizes):
            raise o.refuse("reduces an axis whose size is free")
        count = int(np.prod([int(size or 0) for size in sizes])) if o.step.name == "MEAN" else 1
        made = _of_bytes(o, made, int(np.prod([int(size or 0) for size in sizes])), count)
    o.give(second=made) if second and keep else o.give(last=made)


def _of_bytes(o: Operator, name: str, elements: int, divisor: int) -> str:
    """A sum less the zero points as XNNPACK rounds it: the bytes' own sum times a factor, and both zero points in one float32 number.

    That number is larger than the result, and what it rounds off decides where the result lies within a millionth of a half.
    """
    zero, factor = o.tensor(0).zero * elements, o.tensor(0).scale / (o.output.scale * np.float32(divisor))
    if elements * _BYTES >= EXACT:
        raise o.refuse("sums more elements than float32 counts exactly")
    bias = np.float32(o.output.zero) - np.float32(zero) * factor
    stored = o.write("Round", o.write("Add", name, o.write.constant(zero)))
    scaled = o.write("Add", o.write("Mul", stored, o.write.constant(factor)), o.write.constant(bias))
    return clipped(o, o.write("Sub", o.write("Round", scaled), o.write.constant(o.output.zero)))


def largest(o: Operator) -> None:
    """REDUCE_MAX of one scale."""
    rank = len(o.tensor(0).shape)
    keep = int(bool(o.option("keepDims")))
    o.give(last=o.write("ReduceMax", o.last(), axes=[axis % rank for axis in o.integers(1)], keepdims=keep))


def multiplied(o: Operator) -> None:
    """REDUCE_PROD of what is not quantised."""
    if o.output.quantized or o.output.kind == "float32":
        raise o.refuse("multiplies real values")
    rank = len(o.tensor(0).shape)
    keep = int(bool(o.option("keepDims")))
    o.give(last=o.write("ReduceProd", o.last(), axes=[axis % rank for axis in o.integers(1)], keepdims=keep))


def pooling(operator: str) -> Rule:
    """MAX_POOL_2D and AVERAGE_POOL_2D, whose mean does not count padding."""

    def rule(o: Operator) -> None:
        window = (o.option("filterHeight"), o.option("filterWidth"))
        made = o.write(
            operator, o.second(), kernel_shape=window, strides=(o.option("strideH"), o.option("strideW")),
            auto_pad="SAME_UPPER" if o.option("padding") == _SAME else "VALID",
        )  # fmt: skip
        activation = o.option("fusedActivationFunction")
        if not o.quantized:
            return o.give(second=activated(o, made, activation))
        if operator == "AveragePool":
            made = _half_away(o, made, window[0] * window[1])
        return o.give(second=clipped(o, made, activation))

    return rule


def _half_away(o: Operator, name: str, count: int) -> str:
    """A mean of bytes rounded half away from zero, the zero of what is stored: LiteRT's own kernel, in integers.

    What is added besides the half is less than the distance of any mean of so many bytes to the next half, and more than float32's error.
    """
    zero = o.write.constant(o.tensor(0).zero)
    stored = o.write("Add", name, zero)
    raised = o.write("Add", o.write("Abs", stored), o.write.constant(0.5 + 0.25 / count))
    rounded = o.write("Mul", o.write("Sign", stored), o.write("Floor", raised))
    return str(o.write("Sub", rounded, zero))


def softmax(o: Operator) -> None:
    """SOFTMAX along the last axis: LiteRT's table of exponentials in float32, their sum, half rounded away from zero."""
    beta = np.float32(o.option("beta", 1.0))
    if not o.quantized:
        scaled = o.last() if beta == 1 else o.write("Mul", o.last(), o.write.constant(float(beta)))
        return o.give(last=o.write("Softmax", scaled, axis=-1))
    factor = -o.tensor(0).scale * beta
    below = np.exp((factor * np.arange(256, dtype=np.float32)).astype(np.float64)).astype(np.float32)
    under = o.write("Sub", o.write("ReduceMax", o.last(), axes=[-1], keepdims=1), o.last())
    entries = o.write("Gather", o.write.constant(below), o.write("Cast", under, to=7), axis=0)
    entire = _in_order(o, entries)
    whole = o.write("Mul", entire, o.write.constant(o.output.scale))
    inverse = o.write("Div", o.write.constant(1), whole)
    shares = o.write("Floor", o.write("Add", o.write("Mul", entries, inverse), o.write.constant(0.5)))
    low, high = bounds(o)
    stored = o.write("Clip", shares, o.write.constant(low), o.write.constant(high))
    return o.give(last=stored)


def log_softmax(o: Operator) -> None:
    """LOG_SOFTMAX along the last axis: LiteRT's table of exponentials in float32, their sum, its logarithm, half to even."""
    if not o.quantized:
        return o.give(last=o.write("LogSoftmax", o.last(), axis=-1))
    scale, wide = o.tensor(0).scale, np.float32(o.output.scale)
    below = np.exp((-scale * np.arange(256, dtype=np.float32)).astype(np.float64)).astype(np.float32)
    largest = o.write("ReduceMax", o.last(), axes=[-1], keepdims=1)
    under = o.write("Cast", o.write("Sub", largest, o.last()), to=7)
    entire = _in_order(o, o.write("Gather", o.write.constant(below), under, axis=0))
    logarithm = o.write("Cast", o.write("Log", o.write("Cast", entire, to=11)), to=1)
    zero = o.write.constant(o.tensor(0).zero)
    peak = o.write("Mul", o.write("Add", largest, zero), o.write.constant(scale))
    offset = o.write("Div", o.write("Add", peak, logarithm), o.write.constant(wide))
    steps = o.write("Mul", o.write("Add", o.last(), zero), o.write.constant(scale / wide))
    return o.give(last=clipped(o, o.write("Round", o.write("Sub", steps, offset))))


def _in_order(o: Operator, name: str) -> str:
    """The sum along the last axis, one after another in float32 as LiteRT adds, which other orders round otherwise.

    Beyond `_CHAINED` elements a running sum, which ONNX Runtime adds in this order too.
    """
    count = o.tensor(0).shape[-1]
    if count is None:
        raise o.refuse("is along a free axis")
    if count > _CHAINED:
        running = o.write("CumSum", name, o.write.constant(np.asarray(-1, np.int64)))
        return str(o.write("Slice", running, *(o.write.whole(one) for one in (count - 1, count, -1))))
    parts = o.write.several("Split", [name, o.write.whole(*[1] * count)], count, axis=-1)
    entire = parts[0]
    for part in parts[1:]:
        entire = o.write("Add", entire, part)
    return str(entire)
