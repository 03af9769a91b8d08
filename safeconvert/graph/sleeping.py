"""Units that a Relu keeps at zero and at which weights of two graphs differ: until one is positive, no input shows the difference."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from safeconvert.core.tensors import array_of
from safeconvert.graph.constants import constant_tensors
from safeconvert.graph.coverage_points import Point

Array = np.ndarray[Any, Any]
_WEIGHTED = {"MatMul", "Gemm", "Conv"}
_PASSES = {
    "Identity",
    "Dropout",
    "Flatten",
    "Reshape",
    "Squeeze",
    "GlobalAveragePool",
    "GlobalMaxPool",
    "AveragePool",
    "MaxPool",
}
"""Between a Relu and the weights that read it; units keep their numbers where there is one place of each."""
_ZEROING = {"Relu", "Clip"}
_ROUNDED = 1e-3  # of a weight's largest number
_SHARE = 0.5  # of a weight's numbers that may be others
_LOOKED_AT = 509  # numbers
_MOST = 8  # units that are told


@dataclass(frozen=True)
class Unit:
    """A channel (axis 1) of what a Relu reads."""

    tensor: str
    number: int


def sleeping_units(source: onnx.ModelProto, target: onnx.ModelProto) -> list[Unit]:
    """Units of the source that have to be positive for weights that are others in the target to matter, the first few.

    Weights of one shape are compared with those of the target that they are nearest to. Where most numbers differ, they are folded, moved or stored in
    fewer bits, and tell nothing.
    """
    ours, theirs = _weights(source), _weights(target)
    same = {array.tobytes() for _, array in theirs} & {array.tobytes() for _, array in ours}
    others = [array for _, array in theirs if array.tobytes() not in same]
    found = dict[Unit, None]()
    for node, array in ours:
        if array.tobytes() in same:
            continue
        apart = [_apart(array, other) for other in others if other.shape == array.shape and _alike(array, other)]
        few = [one for one in apart if one.any() and one.mean() <= _SHARE]
        if few:
            found |= dict.fromkeys(_units(source.graph, node, min(few, key=np.count_nonzero)))
    return list(found)[:_MOST]


def waking(model: onnx.ModelProto, units: Sequence[Unit]) -> tuple[onnx.ModelProto, list[Point]]:
    """A copy of a graph that gives out the largest number of each unit, and points that are exercised where it is positive."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    del copy.graph.output[:]
    points = []
    for index, unit in enumerate(units):
        place, picked, ends = f"unit::{index}:place", f"unit::{index}", (f"unit::{index}:least", f"unit::{index}:most")
        copy.graph.initializer.append(numpy_helper.from_array(np.asarray(unit.number, np.int64), place))
        copy.graph.node.append(helper.make_node("Gather", [unit.tensor, place], [picked], axis=1))
        for kind, name in zip(("ReduceMin", "ReduceMax"), ends, strict=True):
            copy.graph.node.append(helper.make_node(kind, [picked], [name], keepdims=0))
            copy.graph.output.append(helper.make_empty_tensor_value_info(name))
        points.append(Point("sides", f"unit {unit.number} of {unit.tensor}", ends, None, 0.0))
    return copy, points


def _weights(model: onnx.ModelProto) -> list[tuple[onnx.NodeProto, Array]]:
    """Nodes with each constant of real numbers that they weigh or shift by, arrays as large as they are."""
    constants = constant_tensors(model.graph)
    return [
        (node, array)
        for node in model.graph.node
        if node.op_type in _WEIGHTED
        for name in node.input[1:]
        if name in constants and (array := array_of(constants[name])).dtype.kind == "f"
    ]


def _alike(one: Array, two: Array) -> bool:
    """Whether most numbers are the same, by a few of them: of many weights of one shape nearly all are others."""
    step = max(1, one.size // _LOOKED_AT)
    return bool(_apart(one.ravel()[::step], two.ravel()[::step]).mean() <= _SHARE)


def _apart(one: Array, two: Array) -> Array:
    limit = _ROUNDED * float(np.abs(one).max(initial=0.0))
    return np.asarray(~(np.abs(one.astype(np.float64) - two) <= limit))


def _units(graph: onnx.GraphProto, node: onnx.NodeProto, apart: Array) -> Iterator[Unit]:
    """Units in front of weights where few rows differ, else behind them."""
    makers = {name: one for one in graph.node for name in one.output}
    transposed = any(one.name == "transB" and one.i for one in node.attribute)
    inner = 0 if apart.ndim == 2 and not transposed else 1
    if apart.ndim > 1:
        rows = np.flatnonzero(apart.any(axis=tuple(axis for axis in range(apart.ndim) if axis != inner)))
        read = _before(node.input[0], makers)
        if read is not None and len(rows) <= apart.shape[inner] // 2:
            yield from (Unit(read, int(row)) for row in rows)
            return
    outer = (1 - inner) if apart.ndim == 2 else 0
    behind = _behind(node.output[0], graph.node)
    if behind is not None:
        units = np.flatnonzero(apart.any(axis=tuple(axis for axis in range(apart.ndim) if axis != outer)))
        yield from (Unit(behind, int(unit)) for unit in units)


def _before(tensor: str, makers: Mapping[str, onnx.NodeProto]) -> str | None:
    """What the Relu reads that a tensor comes from."""
    node = makers.get(tensor)
    while node is not None and node.op_type in _PASSES:
        node = makers.get(node.input[0])
    return node.input[0] if node is not None and node.op_type in _ZEROING else None


def _behind(tensor: str, nodes: Sequence[onnx.NodeProto]) -> str | None:
    """What the Relu reads that reads a tensor, perhaps behind a sum."""
    for _ in range(2):
        readers = [node for node in nodes if tensor in node.input]
        if len(readers) != 1:
            return None
        if readers[0].op_type in _ZEROING:
            return tensor
        if readers[0].op_type != "Add":
            return None
        tensor = readers[0].output[0]
    return None
