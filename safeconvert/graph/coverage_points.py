"""What of a graph inputs can exercise, and a copy of the graph that tells: sides of activations and comparisons, rows of tables, signs.

Each point adds a few numbers to the graph's outputs (the least and the largest value of a tensor, or an index), never a whole
activation, so that measuring costs little beside running.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

Array = np.ndarray[Any, Any]
STRETCHES = 16
"""Into how many stretches of rows a table is divided at most."""
_KINKED = {"Relu", "LeakyRelu", "PRelu", "Elu", "Selu", "Celu", "ThresholdedRelu", "HardSwish", "Abs", "Sign"}
_COMPARISONS = {"Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual"}
_SQUASHING = {"Sigmoid": 6.0, "Tanh": 3.0}
"""From which size of its input on a function is as good as constant."""
_SATURATED = 0.999  # share of a softmax from which on its input hardly shows
_FAR = 1e6  # bounds beyond it only keep numbers finite
_INFERRED = 1 << 28  # bytes of a model up to which types are inferred
_INTEGERS = {TensorProto.INT8, TensorProto.INT16, TensorProto.INT32, TensorProto.INT64}


@dataclass(frozen=True)
class Point:
    """One place of a graph.

    Attributes:
        kind: `sides` (of bounds), `truth`, `rows`, or `calm` (not saturated everywhere).
        label: the node, for a person.
        outputs: what the instrumented graph gives out for it: the least and the largest value, or the index.
        low, high: bounds of `sides`; None where there is none. Of `calm`, what the value must be below: `low`.
        rows: of the table.
    """

    kind: str
    label: str
    outputs: tuple[str, ...]
    low: float | None = None
    high: float | None = None
    rows: int = 0

    def items(self) -> tuple[str, ...]:
        """What can be exercised here, in words; each counts as one."""
        if self.kind == "truth":
            return (f"{self.label} true", f"{self.label} false")
        if self.kind == "calm":
            return (f"{self.label} not saturated",)
        if self.kind == "rows":
            edges = self._edges()
            return tuple(f"rows {a} to {b - 1} of {self.label}" for a, b in pairwise(edges))
        sides = [f"{self.label} below {self.low:g}"] if self.low is not None else []
        return (*sides, f"{self.label} above {self.high:g}") if self.high is not None else tuple(sides)

    def exercised(self, values: Mapping[str, Array]) -> set[str]:
        """Those of the items that one run exercised."""
        items = self.items()
        given = [values[name] for name in self.outputs]
        if self.kind == "rows":
            index = np.asarray(given[0]).ravel().astype(np.int64)
            index = np.where(index < 0, index + self.rows, index)
            hit = np.unique(np.searchsorted(self._edges(), index[(index >= 0) & (index < self.rows)], side="right") - 1)
            return {items[place] for place in hit}
        if self.kind == "calm":
            return set(items) if float(given[0]) < float(self.low or 0) else set()
        least, most = float(given[0]), float(given[1])
        if self.kind == "truth":
            return {item for item, seen in zip(items, (most == 1, least == 0), strict=True) if seen}
        below = {items[0]} if self.low is not None and least < self.low else set()
        return below | ({items[-1]} if self.high is not None and most > self.high else set())

    def _edges(self) -> list[int]:
        return [round(edge) for edge in np.linspace(0, self.rows, min(self.rows, STRETCHES) + 1)]


def instrumented(model: onnx.ModelProto) -> tuple[onnx.ModelProto, list[Point]]:
    """A copy whose outputs are what its points give out (and nothing else), and the points in the graph's order.

    Only tensors that depend on the inputs' values are points; the bodies of control flow are not looked into.
    """
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    graph = copy.graph
    types = _types(model)
    dynamic = _dynamic(graph)
    constants = {tensor.name: tensor for tensor in graph.initializer}
    constants |= {
        node.output[0]: a.t
        for node in graph.node
        if node.op_type == "Constant"
        for a in node.attribute
        if a.name == "value"
    }
    points: list[Point] = []
    added: list[onnx.NodeProto] = []
    opset = next(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx"))
    for number, node in enumerate(list(graph.node)):
        for index, (point, made) in enumerate(_points(node, dynamic, constants, types, opset)):
            prefix = f"coverage::{number}:{index}:"
            renamed = {name: prefix + name for one in made for name in one.output}
            for one in made:
                one.input[:] = [renamed.get(name, name) for name in one.input]
                one.output[:] = [renamed[name] for name in one.output]
                added.append(one)
            points.append(
                Point(
                    point.kind,
                    point.label,
                    tuple(renamed.get(name, name) for name in point.outputs),
                    point.low,
                    point.high,
                    point.rows,
                )
            )
    del graph.output[:]
    axes = {name for one in added for name in one.input if name.startswith("coverage::axis")}
    graph.initializer.extend(
        numpy_helper.from_array(np.array([int(name.removeprefix("coverage::axis"))]), name) for name in sorted(axes)
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
    types: Mapping[str, int],
    opset: int,
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
        yield _truth(label, node.output[0])
    elif kind in ("Where", "If") and first in dynamic:
        yield _truth(f"{label} condition", first)
    elif kind == "Gather" and node.input[1] in dynamic and first in constants:
        axis = next((a.i for a in node.attribute if a.name == "axis"), 0)
        rows = constants[first].dims[axis] if constants[first].dims else 0
        if rows > 1:
            yield Point("rows", f"table {first}", (node.input[1],), rows=rows), []
    elif kind in ("Div", "Mod") and first in dynamic and types.get(first) in _INTEGERS:
        yield _extremes("sides", f"{label} dividend", first, 0.0, 0.0)
    elif kind in _SQUASHING and first in dynamic:
        size = [
            helper.make_node("Abs", [first], ["size"]),
            helper.make_node("ReduceMin", ["size"], ["least"], keepdims=0),
        ]
        yield Point("calm", label, ("least",), low=_SQUASHING[kind]), size
    elif kind == "Softmax" and first in dynamic:
        yield Point("calm", label, ("least",), low=_SATURATED), [_largest(node, opset), _least("best", "least")]


def _largest(node: onnx.NodeProto, opset: int) -> onnx.NodeProto:
    """The largest share of each distribution that a Softmax gives."""
    axis = next((a.i for a in node.attribute if a.name == "axis"), -1 if opset >= 13 else 1)
    if opset < 18:
        return helper.make_node("ReduceMax", [node.output[0]], ["best"], axes=[axis], keepdims=0)
    return helper.make_node("ReduceMax", [node.output[0], _axis_constant(axis)], ["best"], keepdims=0)


def _axis_constant(axis: int) -> str:
    return f"coverage::axis{axis}"


def _least(name: str, output: str) -> onnx.NodeProto:
    return helper.make_node("ReduceMin", [name], [output], keepdims=0)


def _extremes(kind: str, label: str, name: str, low: float | None, high: float | None) -> _Made:
    nodes = [_least(name, "least"), helper.make_node("ReduceMax", [name], ["most"], keepdims=0)]
    return Point(kind, label, ("least", "most"), low, high), nodes


def _truth(label: str, name: str) -> _Made:
    cast = helper.make_node("Cast", [name], ["number"], to=TensorProto.FLOAT)
    point, nodes = _extremes("truth", label, "number", None, None)
    return point, [cast, *nodes]


def _clip_bounds(node: onnx.NodeProto, constants: Mapping[str, onnx.TensorProto]) -> tuple[float | None, float | None]:
    """Bounds of a Clip that are constants and do more than keep numbers finite."""
    found: list[float | None] = []
    for place, name in ((1, "min"), (2, "max")):
        value = next((float(a.f) for a in node.attribute if a.name == name), None)
        if len(node.input) > place and node.input[place] in constants:
            array = numpy_helper.to_array(constants[node.input[place]])
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


def _types(model: onnx.ModelProto) -> dict[str, int]:
    """Element types by tensor, as far as shape inference tells."""
    graph = model.graph
    if any(node.op_type in ("Div", "Mod") for node in graph.node) and model.ByteSize() < _INFERRED:
        graph = onnx.shape_inference.infer_shapes(model).graph
    values = [*graph.value_info, *graph.input, *graph.output]
    return {value.name: value.type.tensor_type.elem_type for value in values}
