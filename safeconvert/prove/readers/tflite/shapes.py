"""TFLite's operators that draw out, turn around and regroup, and that count."""

from __future__ import annotations

from onnx import TensorProto

from safeconvert.prove.kernel.terms import Refused
from safeconvert.prove.readers.tflite.flatbuffer import BOOL, INT
from safeconvert.prove.readers.tflite.operator import WHOLE, Operator, Rule

_INT64 = TensorProto.INT64


def tiled(o: Operator) -> list[str]:
    """TILE."""
    return [o.write("Tile", o.tensor(0).name, o.write("Cast", o.tensor(1).name, to=_INT64))]


def broadcast(o: Operator) -> list[str]:
    """BROADCAST_TO a shape that may be computed."""
    return [o.write("Expand", o.tensor(0).name, o.write("Cast", o.tensor(1).name, to=_INT64))]


def joint_shape(o: Operator) -> list[str]:
    """BROADCAST_ARGS: the shape that two shapes, of which no size is 0, are broadcast to."""
    counts = [o.size(place, 0) for place in (0, 1)]
    names = []
    for place, count in enumerate(counts):
        name = o.write("Cast", o.tensor(place).name, to=_INT64)
        missing = max(counts) - count
        names.append(o.write("Concat", o.write.integers(*[1] * missing), name, axis=0) if missing else name)
    return [o.write("Cast", o.write("Max", *names), to=o.outputs[0].kind)]


def counted(o: Operator) -> list[str]:
    """RANGE of integers."""
    if o.outputs[0].kind not in WHOLE:
        raise Refused("RANGE: of other than integers")
    return [o.write("Range", *(o.tensor(place).name for place in range(3)))]


def turned(o: Operator) -> list[str]:
    """REVERSE_V2 along constant axes."""
    return [o.write.turned(o.tensor(0).name, o.integers(1))]


def blocks(operator: str) -> Rule:
    """DEPTH_TO_SPACE and SPACE_TO_DEPTH, channels last."""

    def rule(o: Operator) -> list[str]:
        size = int(o.options.value(0, INT))
        made = o.write(operator, o.write("Transpose", o.tensor(0).name, perm=[0, 3, 1, 2]), blocksize=size)
        return [o.write("Transpose", made, perm=[0, 2, 3, 1])]

    return rule


def running_sum(o: Operator) -> list[str]:
    """CUMSUM along a constant axis."""
    [axis] = o.integers(1)
    how = {name: int(o.options.value(field, BOOL, False)) for field, name in enumerate(("exclusive", "reverse"))}
    return [o.write("CumSum", o.tensor(0).name, o.write("Squeeze", o.write.integers(axis)), **how)]


def points(o: Operator) -> list[str]:
    """GATHER_ND."""
    return [o.write("GatherND", o.tensor(0).name, o.write("Cast", o.tensor(1).name, to=_INT64))]


def of_truths(operator: str) -> Rule:
    """REDUCE_ANY and REDUCE_ALL over constant axes."""

    def rule(o: Operator) -> list[str]:
        return [o.write.of_truths(operator, o.tensor(0).name, o.integers(1), int(o.options.value(0, BOOL, False)))]

    return rule


def largest_first(o: Operator) -> list[str]:
    """TOPK_V2: so many of the largest along the last axis, and where they stand; of equal ones the first."""
    [count] = o.integers(1)
    values, places = o.write.several("TopK", [o.tensor(0).name, o.write.integers(count)], 2, axis=-1)
    return [values, o.write("Cast", places, to=o.outputs[1].kind)]
