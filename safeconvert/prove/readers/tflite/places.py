"""TFLite's operators that move, cut and pad."""

from __future__ import annotations

import numpy as np
from onnx import helper

from safeconvert.prove.kernel.terms import Refused
from safeconvert.prove.readers.tflite.flatbuffer import BOOL, BYTE, INT
from safeconvert.prove.readers.tflite.operator import Operator
from safeconvert.prove.readers.writer import FAR


def reshaped(o: Operator) -> list[str]:
    """RESHAPE, to a shape that may be computed."""
    if len(o.inputs) < 2:
        shape = o.write.integers(*(int(size) for size in o.options.numbers(0)))
    else:
        shape = o.write("Cast", o.tensor(1).name, to=7)
    return [o.write("Reshape", o.tensor(0).name, shape, allowzero=1)]


def squeezed(o: Operator) -> list[str]:
    """SQUEEZE of named axes."""
    axes = [int(axis) for axis in o.options.numbers(0)]
    if not axes:
        raise Refused("SQUEEZE: of all axes of length 1")
    return [o.write("Squeeze", o.tensor(0).name, o.write.integers(*axes))]


def widened(o: Operator) -> list[str]:
    """EXPAND_DIMS."""
    return [o.write("Unsqueeze", o.tensor(0).name, o.write.integers(*o.integers(1)))]


def transposed(o: Operator) -> list[str]:
    """TRANSPOSE."""
    return [o.write("Transpose", o.tensor(0).name, perm=o.integers(1))]


def shape(o: Operator) -> list[str]:
    """SHAPE."""
    return [o.write("Cast", o.write("Shape", o.tensor(0).name), to=o.outputs[0].kind)]


def multiplied(o: Operator) -> list[str]:
    """UNSORTED_SEGMENT_PROD of a list whose numbers each have a constant place, as sizes are multiplied."""
    places, [count] = o.integers(1), o.integers(2)
    if len(o.tensor(0).shape) != 1 or not all(0 <= place < count for place in places):
        raise Refused("UNSORTED_SEGMENT_PROD: of other than a list, or of numbers that are left out")
    ones = o.write.constant(np.ones(count, helper.tensor_dtype_to_np_dtype(o.tensor(0).kind)))
    return [o.write("ScatterElements", ones, o.write.integers(*places), o.tensor(0).name, reduction="mul")]


def padded(o: Operator) -> list[str]:
    """PAD with zeros, PADV2 with a number: amounts in front and behind by axis."""
    pairs = np.asarray(o.integers(1)).reshape(-1, 2)
    amounts = o.write.integers(*pairs[:, 0], *pairs[:, 1])
    if o.name == "PADV2":
        return [o.write("Pad", o.tensor(0).name, amounts, o.tensor(2).name)]
    return [o.write("Pad", o.tensor(0).name, amounts)]


def mirrored(o: Operator) -> list[str]:
    """MIRROR_PAD without the border itself."""
    if o.options.value(0, BYTE) != 0:
        raise Refused("MIRROR_PAD: with the border itself")
    pairs = np.asarray(o.integers(1)).reshape(-1, 2)
    return [o.write("Pad", o.tensor(0).name, o.write.integers(*pairs[:, 0], *pairs[:, 1]), mode="reflect")]


def cut(o: Operator) -> list[str]:
    """SLICE: begins, and sizes of which -1 is up to the end."""
    begins, sizes = o.integers(1), o.integers(2)
    ends = [FAR if size == -1 else begin + size for begin, size in zip(begins, sizes, strict=True)]
    return [o.write("Slice", o.tensor(0).name, o.write.integers(*begins), o.write.integers(*ends))]


def strided(o: Operator) -> list[str]:
    """STRIDED_SLICE: begins, ends and strides by axis; masks say, a bit an axis, which begins and ends are left out, and which axes go."""
    begins, ends, strides = (o.integers(place) for place in (1, 2, 3))
    no_begin, no_end, ellipsis, new, shrunk = (int(o.options.value(field, INT)) for field in range(5))
    if ellipsis or new or o.options.value(5, BOOL, False):
        raise Refused("STRIDED_SLICE: with an ellipsis, new axes or offsets")
    gone = []
    for axis, stride in enumerate(strides):
        bit = 1 << axis
        if shrunk & bit:
            gone.append(axis)
            strides[axis], ends[axis] = 1, begins[axis] + 1 if begins[axis] != -1 else FAR
            continue
        begins[axis] = (0 if stride > 0 else FAR) if no_begin & bit else begins[axis]
        ends[axis] = (FAR if stride > 0 else -FAR) if no_end & bit else ends[axis]
    lists = (o.write.integers(*numbers) for numbers in (begins, ends, range(len(begins)), strides))
    made = o.write("Slice", o.tensor(0).name, *lists)
    return [o.write("Squeeze", made, o.write.integers(*gone))] if gone else [made]


def _parts(o: Operator, tensor: str, axis: int) -> list[str]:
    sizes = [output.shape[axis] for output in o.outputs]
    if any(size is None for size in sizes):
        raise Refused(f"{o.name}: along an axis that is free")
    given = o.write.integers(*(size for size in sizes if size is not None))
    return o.write.several("Split", [tensor, given], len(sizes), axis=axis)


def split(o: Operator) -> list[str]:
    """SPLIT (axis, tensor) and SPLIT_V (tensor, sizes, axis)."""
    place, tensor = (0, 1) if o.name == "SPLIT" else (2, 0)
    [axis] = o.integers(place)
    return _parts(o, o.tensor(tensor).name, axis)


def packed(o: Operator) -> list[str]:
    """PACK: inputs along a new axis."""
    axis = int(o.options.value(1, INT))
    at = o.write.integers(axis)
    return [o.write("Concat", *(o.write("Unsqueeze", o.tensor(n).name, at) for n in range(len(o.inputs))), axis=axis)]


def unpacked(o: Operator) -> list[str]:
    """UNPACK: places along an axis, which goes."""
    axis = int(o.options.value(1, INT))
    number = o.tensor(0)
    count = o.size(0, axis)
    if count != len(o.outputs):
        raise Refused(f"UNPACK: {count} places for {len(o.outputs)} outputs")
    parts = o.write.several("Split", [number.name, o.write.integers(*[1] * count)], count, axis=axis)
    at = o.write.integers(axis)
    return [o.write("Squeeze", part, at) for part in parts]


def gathered(o: Operator) -> list[str]:
    """GATHER along an axis; in batches, element by element along the last one."""
    axis, batches = o.options.value(0, INT), o.options.value(1, INT)
    if batches:
        ranks = [len(o.tensor(place).shape) for place in (0, 1)]
        if ranks != [batches + 1, batches + 1] or axis % ranks[0] != batches:
            raise Refused("GATHER: in batches of more than elements")
        return [o.write("GatherElements", o.tensor(0).name, o.tensor(1).name, axis=batches)]
    return [o.write("Gather", o.tensor(0).name, o.tensor(1).name, axis=o.options.value(0, INT))]


def rows(o: Operator) -> list[str]:
    """EMBEDDING_LOOKUP: places, and a table."""
    return [o.write("Gather", o.tensor(1).name, o.tensor(0).name, axis=0)]


def filled(o: Operator) -> list[str]:
    """FILL: one number, in a shape that may be computed."""
    return [o.write("Expand", o.tensor(1).name, o.write("Cast", o.tensor(0).name, to=7))]
