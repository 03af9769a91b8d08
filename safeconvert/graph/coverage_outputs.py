"""A copy of a graph that gives out what inputs exercise of it.

Each point adds a few numbers to the graph's outputs (the least and the largest value of a tensor, or an index), never a whole
activation, so that measuring costs little beside running.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from safeconvert.core.tensors import array_of
from safeconvert.graph.constants import constant_tensors
from safeconvert.graph.coverage_points import Point

_KINKED = {"Relu", "LeakyRelu", "PRelu", "Elu", "Selu", "Celu", "ThresholdedRelu", "HardSwish", "Abs", "Sign"}
_COMPARISONS = {"Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual"}
_SQUASHING = {"Sigmoid": 6.0, "Tanh": 3.0}
"""From which size of its input on a function is as good as constant."""
_SATURATED = 0.999  # share of a softmax from which on its input hardly shows
_FAR = 1e6  # bounds beyond it only keep numbers finite
_INFERRED = 1 << 28  # bytes of a model up to which types are inferred
_NUMBER = "coverage::number"  # in front of a number in the name of a constant that holds it
_ORDERED = {"ArgMax", "ArgMin"}
_TYING = {"Relu", "Clip", "Round", "Floor", "Ceil", "Sign", "HardSigmoid", "ThresholdedRelu"}
"""What makes different numbers equal, so that scores behind it may be tied."""
_CARRIES = {
    "Identity",
    "Reshape",
    "Squeeze",
    "Unsqueeze",
    "Flatten",
    "Transpose",
    "GlobalAveragePool",
    "GlobalMaxPool",
    "MaxPool",
    "Mul",
}
_INTEGERS = {TensorProto.INT8, TensorProto.INT16, TensorProto.INT32, TensorProto.INT64}


def instrumented(model: onnx.ModelProto) -> tuple[onnx.ModelProto, list[Point]]:
    """A copy whose outputs are what its points give out (and nothing else), and the points in the graph's order.

    Only tensors that depend on the inputs' values are points; the bodies of control flow are not looked into.
    """
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    graph = copy.graph
    tensors = _Tensors.of(model)
    dynamic = _dynamic(graph)
    constants = constant_tensors(graph)
    points: list[Point] = []
    added: list[onnx.NodeProto] = []
    for number, node in enumerate(list(graph.node)):
        for index, (point, made) in enumerate(_points(node, dynamic, constants, tensors)):
            prefix = f"coverage::{number}:{index}:"
            renamed = {name: prefix + name for one in made for name in one.output}
            for one in made:
                one.input[:] = [renamed.get(name, name) for name in one.input]
                one.output[:] = [renamed[name] for name in one.output]
                added.append(one)
            points.append(replace(point, outputs=tuple(renamed.get(name, name) for name in point.outputs)))
    del graph.output[:]
    numbers = {name for one in added for name in one.input if name.startswith(_NUMBER)}
    graph.initializer.extend(
        numpy_helper.from_array(np.array([int(name.removeprefix(_NUMBER))]), name) for name in sorted(numbers)
    )
    graph.node.extend(added)
    outputs = dict.fromkeys(name for point in points for name in point.outputs)
    graph.output.extend(helper.make_empty_tensor_value_info(name) for name in outputs)
    return copy, points


_Made = tuple[Point, list[onnx.NodeProto]]


def _points(
    node: onnx.NodeProto,
    dynamic: set[str],
    constants: Mapping[str, onnx.TensorProto],
    tensors: _Tensors,
) -> Iterator[_Made]:
    """The points of one node, with the nodes that give out their numbers."""
    kind, label = node.op_type, f"{node.op_type} {node.name or node.output[0]}"
    first = node.input[0] if node.input else ""
    if kind in _KINKED and first in dynamic:
        yield _extremes("sides", label, first, 0.0, 0.0)
    elif kind == "Clip" and first in dynamic:
        low, high = _clip_bounds(node, constants)
        if low is not None or high is not None:
            yield _extremes("sides", label, first, low, high)
    elif kind in _COMPARISONS and node.output[0] in dynamic:
        yield _comparison(label, node, tensors)
    elif kind in ("Where", "If") and first in dynamic:
        yield _truth(f"{label} condition", first)
    elif kind == "Gather" and node.input[1] in dynamic and first in constants:
        axis = next((a.i for a in node.attribute if a.name == "axis"), 0)
        rows = constants[first].dims[axis] if constants[first].dims else 0
        if rows > 1:
            yield Point("rows", f"table {first}", (node.input[1],), rows=rows, tensor=node.input[1]), []
    elif kind in ("Div", "Mod") and first in dynamic and tensors.types.get(first) in _INTEGERS:
        yield _extremes("sides", f"{label} dividend", first, 0.0, 0.0)
    elif kind in _SQUASHING and first in dynamic:
        size = [
            helper.make_node("Abs", [first], ["size"]),
            helper.make_node("ReduceMin", ["size"], ["least"], keepdims=0),
        ]
        yield Point("calm", label, ("least",), low=_SQUASHING[kind], tensor=first), size
    elif kind == "Softmax" and first in dynamic:
        point = Point("shares", label, ("least", "span"), low=_SATURATED, tensor=node.output[0])
        yield point, _shares(node, tensors.opset)
    elif kind in _ORDERED and first in dynamic and (found := _tie(node, tensors, constants, label)):
        yield found


def _shares(node: onnx.NodeProto, opset: int) -> list[onnx.NodeProto]:
    """The least of the largest shares that a Softmax gives, and the least spread of the numbers that it reads.

    Shares of 1 tell nothing of how near another input comes; the spread does.
    """
    axis = next((a.i for a in node.attribute if a.name == "axis"), -1 if opset >= 13 else 1)
    axes = {"axes": [axis]} if opset < 18 else {}
    second = [] if opset < 18 else [_axis_constant(axis)]

    def along(kind: str, name: str, output: str) -> onnx.NodeProto:
        return helper.make_node(kind, [name, *second], [output], keepdims=0, **axes)

    return [
        along("ReduceMax", node.output[0], "best"),
        _least("best", "least"),
        along("ReduceMax", node.input[0], "top"),
        along("ReduceMin", node.input[0], "bottom"),
        helper.make_node("Sub", ["top", "bottom"], ["spread"]),
        _least("spread", "span"),
    ]


def _axis_constant(axis: int) -> str:
    return f"{_NUMBER}{axis}"


def _least(name: str, output: str) -> onnx.NodeProto:
    return helper.make_node("ReduceMin", [name], [output], keepdims=0)


def _extremes(kind: str, label: str, name: str, low: float | None, high: float | None) -> _Made:
    nodes = [_least(name, "least"), helper.make_node("ReduceMax", [name], ["most"], keepdims=0)]
    return Point(kind, label, ("least", "most"), low, high, tensor=name), nodes


def _truth(label: str, name: str) -> _Made:
    cast = helper.make_node("Cast", [name], ["number"], to=TensorProto.FLOAT)
    point, nodes = _extremes("truth", label, "number", None, None)
    return replace(point, tensor=name), [cast, *nodes]


def _comparison(label: str, node: onnx.NodeProto, tensors: _Tensors) -> _Made:
    """Whether a comparison is true or false, and how far apart its operands are where they are real numbers."""
    point, nodes = _truth(label, node.output[0])
    if tensors.types.get(node.input[0]) != TensorProto.FLOAT:
        return point, nodes
    apart = [helper.make_node("Sub", list(node.input), ["apart"]), _least("apart", "nearest"),
             helper.make_node("ReduceMax", ["apart"], ["farthest"], keepdims=0)]  # fmt: skip
    return replace(point, outputs=(*point.outputs, "nearest", "farthest")), [*nodes, *apart]


def _tie(
    node: onnx.NodeProto, tensors: _Tensors, constants: Mapping[str, onnx.TensorProto], label: str
) -> _Made | None:
    """The least distance of the best score to the second best of any choice, and the best scores; None where nothing makes scores equal.

    Where a Relu or a Clip does, its bound is what the best score has to come to.
    """
    axis = next((a.i for a in node.attribute if a.name == "axis"), 0)
    maker = tensors.makers.get(node.input[0])
    while maker is not None and maker.op_type in _CARRIES:
        maker = tensors.makers.get(maker.input[0])
    sizes = tensors.shapes.get(node.input[0], ())
    if maker is None or maker.op_type not in _TYING or tensors.opset < 11:
        return None
    if not -len(sizes) <= axis < len(sizes) or sizes[axis] < 2 or tensors.types.get(node.input[0]) != TensorProto.FLOAT:
        return None
    largest = node.op_type == "ArgMax"
    edge = 0.0 if maker.op_type == "Relu" and largest else None
    if maker.op_type == "Clip":
        edge = _clip_bounds(maker, constants)[0 if largest else 1]
    best = helper.make_node("TopK", [node.input[0], f"{_NUMBER}2"], ["both", "places"], axis=axis, largest=int(largest))
    parts = {"num_outputs": 2} if tensors.opset >= 18 else {}
    nodes = [best, helper.make_node("Split", ["both"], ["one", "two"], axis=axis, **parts),
             helper.make_node("Sub", ["one", "two"], ["gap"]), helper.make_node("Abs", ["gap"], ["size"]), _least("size", "least"),
             _least("one", "low_best"), helper.make_node("ReduceMax", ["one"], ["high_best"], keepdims=0)]  # fmt: skip
    return Point("tie", label, ("least", "low_best", "high_best"), low=edge, tensor=node.input[0]), nodes


def _clip_bounds(node: onnx.NodeProto, constants: Mapping[str, onnx.TensorProto]) -> tuple[float | None, float | None]:
    """Bounds of a Clip that are constants and do more than keep numbers finite."""
    found: list[float | None] = []
    for index, name in ((1, "min"), (2, "max")):
        value = next((float(a.f) for a in node.attribute if a.name == name), None)
        if len(node.input) > index and node.input[index] in constants:
            array = array_of(constants[node.input[index]])
            value = float(array.ravel()[0]) if array.size == 1 else None
        found.append(value if value is not None and math.isfinite(value) and abs(value) < _FAR else None)
    return found[0], found[1]


def _dynamic(graph: onnx.GraphProto) -> set[str]:
    """Tensors that depend on the values of inputs, and not on their sizes alone."""
    constants = {tensor.name for tensor in graph.initializer}
    found = {value.name for value in graph.input if value.name not in constants}
    for node in graph.node:
        if node.op_type not in ("Shape", "Size") and any(name in found for name in node.input):
            found.update(name for name in node.output if name)
    return found


@dataclass(frozen=True)
class _Tensors:
    """What is known of a graph's tensors: element types, shapes (0 for a free size), the nodes that make them; and the operators' version."""

    types: Mapping[str, int]
    shapes: Mapping[str, tuple[int, ...]]
    makers: Mapping[str, onnx.NodeProto]
    opset: int

    @staticmethod
    def of(model: onnx.ModelProto) -> _Tensors:
        """As far as shape inference tells, where an operator needs it."""
        graph = model.graph
        typed = {"Div", "Mod"} | _ORDERED | _COMPARISONS
        if any(node.op_type in typed for node in graph.node) and model.ByteSize() < _INFERRED:
            graph = onnx.shape_inference.infer_shapes(model).graph
        values = [*graph.value_info, *graph.input, *graph.output]
        types = {value.name: value.type.tensor_type.elem_type for value in values}
        shapes = {v.name: tuple(size.dim_value for size in v.type.tensor_type.shape.dim) for v in values}
        opset = next(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx"))
        makers = {name: node for node in model.graph.node for name in node.output}
        return _Tensors(types, shapes, makers, opset)
