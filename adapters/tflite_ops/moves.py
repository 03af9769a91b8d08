"""Operators that move values and compute none."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .graph import Operator
from .rounding import clipped

_ROUND = {"float32": 1, "int32": 6, "int64": 7, "bool": 9, "int8": 3, "uint8": 2}


def quantized(o: Operator) -> None:
    """QUANTIZE of float32: times the scale's float32 reciprocal, rounded half to even, cut off."""
    if o.tensor(0).kind != "float32":
        raise o.refuse("reads bytes")
    second = o.is_second()
    name = o.second() if second else o.last()
    inverse = np.float32(1) / o.output.scale
    made = clipped(o, o.write("Round", o.write("Mul", name, o.write.constant(inverse))))
    o.give(second=made) if second else o.give(last=made)


def dequantized(o: Operator) -> None:
    """DEQUANTIZE of bytes."""
    if not o.tensor(0).quantized:
        raise o.refuse(f"reads {o.tensor(0).kind or 'a type that is not supported'}")
    second = o.tensor(0).array is None and o.is_second()
    name = o.second() if second else o.last()
    made = o.write("Mul", name, o.write.constant(o.tensor(0).scale))
    o.give(second=made) if second else o.give(last=made)


def shape_is_known(shape: Sequence[int | None]) -> bool:
    """Whether a reshape's result follows from what the file says of it: at most one size is free."""
    return sum(size is None for size in shape) <= 1


def reshaped(o: Operator) -> None:
    """RESHAPE, SQUEEZE and EXPAND_DIMS, to what the file says of the output, else to what is computed."""
    shape = o.output.shape
    if o.tensor(0).shape == shape and shape_is_known(shape):
        return o.give(last=o.last())
    if shape_is_known(shape):
        wanted = o.write.whole(*[-1 if size is None else size for size in shape])
    elif o.step.name == "RESHAPE":
        wanted = o.write("Cast", o.last(1), to=7)
    else:
        raise o.refuse("gives a shape with several free sizes")
    return o.give(last=o.write("Reshape", o.last(), wanted))


def shape(o: Operator) -> None:
    """SHAPE."""
    o.give(last=o.write("Cast", o.write("Shape", o.last()), to=_ROUND[o.output.kind]))


def transposed(o: Operator) -> None:
    """TRANSPOSE."""
    order = list(o.integers(1))
    o.give(last=o.write("Transpose", o.last(), perm=order))


def padded(o: Operator) -> None:
    """PAD and PADV2, with the zero point or a constant."""
    pads = np.asarray(o.integers(1)).reshape(-1, 2)
    value = float(o.tensor(2).centred.ravel()[0]) if o.has(2) else 0.0
    second = len(pads) == 4 and o.is_second()
    ordered = pads[[0, 3, 1, 2]] if second else pads
    name = o.second() if second else o.last()
    made = o.write("Pad", name, o.write.whole(*ordered.T.ravel().tolist()), o.write.constant(value))
    o.give(second=made) if second else o.give(last=made)


def mirrored(o: Operator) -> None:
    """MIRROR_PAD that does not repeat the edge."""
    if o.option("mode") != 0:
        raise o.refuse("repeats the edge")
    pads = np.asarray(o.integers(1)).reshape(-1, 2)
    o.give(last=o.write("Pad", o.last(), o.write.whole(*pads.T.ravel().tolist()), mode="reflect"))


def strided(o: Operator) -> None:
    """STRIDED_SLICE with constant ends, without ellipses and new axes."""
    if o.option("ellipsisMask") or o.option("newAxisMask"):
        raise o.refuse("has an ellipsis or new axes")
    begins, ends, strides = (list(o.integers(place)) for place in (1, 2, 3))
    dropped = []
    for axis, stride in enumerate(strides):
        bit = 1 << axis
        if o.option("shrinkAxisMask") & bit:
            dropped.append(axis)
            ends[axis] = begins[axis] + 1 if begins[axis] != -1 else np.iinfo(np.int64).max
            continue
        if o.option("beginMask") & bit:
            begins[axis] = 0 if stride > 0 else np.iinfo(np.int64).max
        if o.option("endMask") & bit:
            ends[axis] = np.iinfo(np.int64).max if stride > 0 else np.iinfo(np.int64).min
    axes = list(range(len(begins)))
    made = o.write("Slice", o.last(), *(o.write.whole(*part) for part in (begins, ends, axes, strides)))
    o.give(last=o.write("Squeeze", made, o.write.whole(*dropped)) if dropped else made)


def cut(o: Operator) -> None:
    """SLICE."""
    begins, sizes = o.integers(1), o.integers(2)
    ends = [np.iinfo(np.int64).max if size < 0 else begin + size for begin, size in zip(begins, sizes, strict=True)]
    parts = (begins, ends, range(len(begins)))
    o.give(last=o.write("Slice", o.last(), *(o.write.whole(*part) for part in parts)))


def split(o: Operator) -> None:
    """SPLIT into equal parts; its axis stands in front of what it cuts."""
    axis, count = o.integers(0)[0], len(o.step.gives)
    rank = len(o.tensor(1).shape)
    size = o.tensor(1).shape[axis % rank]
    if size is None:
        raise o.refuse("splits a free size")
    sizes = o.write.whole(*[size // count] * count)
    for place, name in enumerate(o.write.several("Split", [o.last(1), sizes], count, axis=axis % rank)):
        o.give(last=name, place=place)


def gathered(o: Operator) -> None:
    """GATHER of constant or computed indices along one axis."""
    if o.option("batchDims"):
        raise o.refuse("gathers along several axes")
    o.give(last=o.write("Gather", o.last(0), o.last(1), axis=o.option("axis")))


def unpacked(o: Operator) -> None:
    """UNPACK."""
    axis, count = o.option("axis"), len(o.step.gives)
    axes = o.write.whole(axis)
    parts = o.write.several("Split", [o.last(), o.write.whole(*[1] * count)], count, axis=axis)
    for place, name in enumerate(parts):
        o.give(last=o.write("Squeeze", name, axes), place=place)


def tiled(o: Operator) -> None:
    """TILE."""
    o.give(last=o.write("Tile", o.last(), o.write.whole(*o.integers(1))))


def cast(o: Operator) -> None:
    """CAST between types that are not quantised."""
    if o.tensor(0).quantized or o.output.quantized or o.output.kind not in _ROUND:
        raise o.refuse("casts to or from bytes")
    o.give(last=o.write("Cast", o.last(), to=_ROUND[o.output.kind]))


def largest(o: Operator) -> None:
    """ARG_MAX along a constant axis."""
    rank = len(o.tensor(0).shape)
    axis = o.integers(1)[0] % rank
    made = o.write("ArgMax", o.last(), axis=axis, keepdims=0)
    o.give(last=made if o.output.kind == "int64" else o.write("Cast", made, to=6))
