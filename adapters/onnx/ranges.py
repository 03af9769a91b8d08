"""What integers a graph's inputs take, as far as the graph tells."""

from __future__ import annotations

import onnx

_CARRIES = {"Cast", "Identity", "Reshape", "Squeeze", "Unsqueeze", "Transpose", "Flatten", "Slice", "Split"}
_COUNTS = _CARRIES | {
    "Add", "Sub", "Mul", "Div", "Mod", "Neg", "Abs", "Sign", "Min", "Max", "Sum", "Mean", "Clip", "Relu", "Concat", "Where",
    "Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual", "Not", "And", "Or", "Pow", "Floor", "Ceil", "Round",
    "ReduceSum", "ReduceMax", "ReduceMin", "ReduceMean", "Expand", "Tile", "MatMul", "Gemm", "Sigmoid", "Tanh",
}  # fmt: skip
_STEERS = {"Reshape": 1, "Expand": 1, "Tile": 1, "Slice": 1, "Split": 1, "Squeeze": 1, "Unsqueeze": 1, "ReduceSum": 1}
_NUMBERS = (-9, 10)
"""Numbers on both sides of zero, so that what is done to negative ones is seen; few, so that powers and products fit."""


def input_ranges(path: str) -> list[tuple[int, int] | None]:
    """For each graph input, in order, lowest and one past the highest integer to feed it; None where nothing is known.

    An input that indexes tables through Gather takes the rows of the smallest. One that nothing but arithmetic is done with
    takes numbers of both signs; as a divisor or an exponent, from 1.
    """
    graph = onnx.load(path, load_external_data=False).graph
    tables = {tensor.name: list(tensor.dims) for tensor in graph.initializer}
    found: list[tuple[int, int] | None] = []
    for value in graph.input:
        if value.name in tables:
            continue
        rows = _rows(graph, value.name, tables)
        found.append((0, min(rows)) if rows else _numbers(graph, value.name))
    return found


def _rows(graph: onnx.GraphProto, name: str, tables: dict[str, list[int]]) -> list[int]:
    reached, rows = {name}, []
    for node in graph.node:
        if node.op_type == "Gather" and node.input[1] in reached and tables.get(node.input[0]):
            axis = next((a.i for a in node.attribute if a.name == "axis"), 0)
            rows.append(tables[node.input[0]][axis])
        elif node.op_type in _CARRIES and node.input and node.input[0] in reached:
            reached.update(node.output)
    return rows


def _numbers(graph: onnx.GraphProto, name: str) -> tuple[int, int] | None:
    """The range of an input that is a number; None where it, or what is computed from it, may be an index or a size."""
    reached, low = {name}, _NUMBERS[0]
    for node in graph.node:
        places = [place for place, given in enumerate(node.input) if given in reached]
        if not places:
            continue
        if node.op_type not in _COUNTS or max(places) >= _STEERS.get(node.op_type, len(node.input)):
            return None
        if node.op_type in ("Div", "Mod", "Pow") and 1 in places:
            low = 1
        reached.update(node.output)
    return low, _NUMBERS[1]
