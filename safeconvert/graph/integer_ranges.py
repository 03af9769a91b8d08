"""Which integers an input of a graph takes, read off what the graph does with them.

Each tensor that is computed from the input by copying, adding, scaling and dividing by constants is `a * x + b`; where such a
tensor indexes a table, is compared, clipped or divided, that line says at which `x` it matters.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import onnx

from safeconvert.graph.constants import constant_tensors, small_constants
from safeconvert.graph.integer_operators import BOUNDED, COMPARED, COPIES, DATA_INPUTS, KNOWN, PRODUCTS, REAL, WIDE
from safeconvert.graph.ranges import IntegerRange

NUMBERS = (-9, 10)
"""Numbers on both sides of zero; few, so that powers and products fit their type."""
FAR = 1000
"""How far from zero an input is tried with which nothing is done but sums, quotients and comparisons, where a wave is made of it."""
FARTHEST = 10**9
"""How far where none is: 32 bits hold it, 16 do not, and float32 rounds it."""
FARTHEST_OF = {
    onnx.TensorProto.INT64: 5 * 10**9,
    onnx.TensorProto.UINT64: 5 * 10**9,
    onnx.TensorProto.UINT32: 3 * 10**9,
}
"""How far where the type holds more and nothing casts it to less: 32 bits do not hold it, whose first may be a sign where the type has none."""
_UNKNOWN = 10  # one past the numbers that are tried where nothing is known, and no table has more rows
FAR_PRODUCTS = 90_000
"""How far where integers are multiplied: the square does not fit 32 bits, which a target may count in, and the fourth power fits 64."""
_SMALL = 64  # elements of a constant that is looked at; a table's values are of no interest here
_NEAR = 24  # points of interest that are kept


@dataclass(frozen=True)
class _Line:
    """A tensor as `slope * x + offset`, or (slope 0) a number that does not grow with x, or grows in no known way."""

    slope: float = 0.0
    offset: float = 0.0
    bounded: bool = False
    masked: bool = False  # times 0 or 1, as exporters spell a choice between two tensors
    real: bool = False  # cast to real numbers, which are no sizes and no indices


@dataclass
class _Found:
    """What is known of one input while the graph is read."""

    low: float = -math.inf
    high: float = math.inf
    rows: int = 0
    near: set[int] = field(default_factory=set)
    least: int | None = None
    products: bool = False
    counted: bool = False  # products of integers that are nowhere cast to real numbers
    narrow: bool = False  # cast to integers of 32 bits or fewer
    waves: bool = False
    unknown: bool = False
    sized: bool = False  # of tensors, which a few digits make large

    def point(self, line: _Line, value: float) -> None:
        """Note the x at which a line has a value."""
        if line.slope and math.isfinite(value):
            x = (value - line.offset) / line.slope
            if abs(x) < 2**53:
                self.near.update((math.floor(x) - 1, math.floor(x), math.ceil(x), math.ceil(x) + 1))

    def indexes(self, line: _Line, rows: int) -> None:
        """Bound x so that a line stays within 0..rows-1."""
        if line.bounded:
            return
        if not line.slope:
            self.unknown = True
            return
        ends = sorted((edge - line.offset) / line.slope for edge in (0, rows))
        low, high = (
            (math.ceil(ends[0]), math.ceil(ends[1]))
            if line.slope > 0
            else (math.floor(ends[0]) + 1, math.floor(ends[1]) + 1)
        )
        self.low, self.high = max(self.low, low), min(self.high, high)
        self.rows = rows if not self.rows else min(self.rows, rows)


def integer_ranges(model: onnx.ModelProto) -> list[IntegerRange | None]:
    """For each input of a graph, in order, the integers to feed it; None where nothing is known.

    A real input has a range only where it indexes a table.
    """
    graph = onnx.shape_inference.infer_shapes(model).graph if model.ByteSize() < 1 << 30 else model.graph
    constants = small_constants(graph, _SMALL)
    shapes = _shapes(graph)
    names = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in names]
    return [_range_of(graph, value, constants, shapes) for value in inputs]


def _unknown(graph: onnx.GraphProto, value: onnx.ValueInfoProto, found: _Found) -> IntegerRange | None:
    """What is tried of integers of which the graph tells nothing: rows of its smallest table where they may be such; a number alone may say how often."""
    kind = value.type.tensor_type
    if found.sized or kind.elem_type in (*REAL, onnx.TensorProto.BOOL, onnx.TensorProto.INT8, onnx.TensorProto.UINT8):
        return None
    read = {node.input[0] for node in graph.node if node.op_type in _INDEXED and node.op_type != "OneHot"}
    tables = [tensor.dims[0] for tensor in graph.initializer if tensor.name in read and len(tensor.dims) > 1]
    several = len(kind.shape.dim) > 1
    return IntegerRange(0, max(_UNKNOWN, min(tables)) if tables and several else _UNKNOWN)


def _range_of(
    graph: onnx.GraphProto,
    value: onnx.ValueInfoProto,
    constants: Mapping[str, np.ndarray],
    shapes: Mapping[str, list[int]],
) -> IntegerRange | None:
    found, lines = _Found(), {value.name: _Line(1.0)}
    for node in graph.node:
        indices = [index for index, name in enumerate(node.input) if name in lines]
        if indices:
            made = _follow(node, indices, lines, constants, shapes, found)
            if made is not None:
                made = replace(made, real=_real(node, [lines[node.input[index]] for index in indices]))
            lines.update({name: made for name in node.output if name and made is not None})
        if any(attribute.type == onnx.AttributeProto.GRAPH for attribute in node.attribute):
            _within(node, lines, constants, shapes, found)
    return _concluded(found, value.type.tensor_type.elem_type) or _unknown(graph, value, found)


def _concluded(found: _Found, kind: int) -> IntegerRange | None:
    if found.rows and found.low < found.high and not found.unknown:
        low, high = int(found.low), int(found.high)
        if found.least is not None:
            low = max(low, found.least)
        near = tuple(sorted(x for x in found.near if low <= x < high))[:_NEAR]
        return IntegerRange(low, high, near, None, found.rows) if low < high else None
    if kind in REAL or found.unknown or found.rows:
        return None
    low, high = NUMBERS if found.least is None else (found.least, NUMBERS[1])
    reach = 2 * FAR
    closest = sorted(
        (x for x in found.near if low - reach <= x < high + reach and (found.least is None or x >= low)), key=abs
    )
    kept = tuple(sorted(closest[:_NEAR]))
    most = _most(found, kind)
    far = None if found.products else (-most if found.least is None else found.least, most + 1)
    return IntegerRange(
        min(low, *kept) if kept else low, max(high, *(x + 1 for x in kept)) if kept else high, kept, far
    )


def _most(found: _Found, kind: int) -> int:
    """How far from zero numbers of a type are tried."""
    if found.waves or (found.counted and (found.narrow or kind not in WIDE)):
        return FAR
    if found.counted:
        return FAR_PRODUCTS
    return FARTHEST if found.narrow else FARTHEST_OF.get(kind, FARTHEST)


def _follow(
    node: onnx.NodeProto,
    indices: list[int],
    lines: Mapping[str, _Line],
    constants: Mapping[str, np.ndarray],
    shapes: Mapping[str, list[int]],
    found: _Found,
) -> _Line | None:
    """The line of a node's outputs; what the node says of x is noted in `found`."""
    kind = node.op_type
    if kind in _INDEXED and _INDEXED[kind] in indices:
        line = lines[node.input[_INDEXED[kind]]]
        rows = _rows(node, shapes, constants)
        if rows is None:
            found.unknown |= not line.bounded
        else:
            found.indexes(line, rows)
        if indices == [_INDEXED[kind]]:
            return None if kind != "OneHot" else _Line(bounded=True)
    sized = max(indices) >= DATA_INPUTS.get(kind, len(node.input))
    if sized or kind not in KNOWN:
        if all(lines[node.input[index]].real for index in indices):
            found.products = True
            return _Line()
        found.unknown = True
        found.sized |= sized
        return None
    line = lines[node.input[indices[-1]]]
    found.narrow |= kind == "Cast" and next(a.i for a in node.attribute if a.name == "to") not in WIDE
    others = [constants.get(name) for index, name in enumerate(node.input) if index not in indices and name]
    if kind in COMPARED:
        for other in others:
            for value in _few(other):
                found.point(line, value)
    if kind in ("Div", "Mod", "Pow") and 1 in indices and not lines[node.input[1]].real:
        found.least = 1  # real numbers give no finite output where they must not be zero
    if kind in _LINES and len(indices) == 1 and len(others) == 1 and (edge := _single(others[0])) is not None:
        return _LINES[kind](line, edge, indices[0], found)
    if kind == "Mul" and len(indices) == 2:
        one, two = lines[node.input[0]], lines[node.input[1]]
        if one.bounded != two.bounded:
            return replace(two if one.bounded else one, masked=True)
    if kind in ("Add", "Sub") and len(indices) == 2:
        return _of_two(kind, lines[node.input[0]], lines[node.input[1]])
    if kind == "Neg":
        return replace(line, slope=-line.slope, offset=-line.offset)
    if kind in BOUNDED:
        found.waves |= kind in ("Sin", "Cos") and not line.bounded
        return _Line(bounded=True)
    if kind in COPIES | {"Floor", "Ceil", "Round"}:
        return line
    if kind in ("Relu", "Abs", "Min", "Max") and not line.bounded:
        found.point(line, 0)
        return line if kind != "Abs" else _Line()
    if kind in PRODUCTS and (len(indices) > 1 or kind not in ("MatMul", "Gemm", "Mul")):
        found.products |= any(lines[node.input[index]].real for index in indices)
        found.counted = True
    return _Line(bounded=all(lines[node.input[index]].bounded for index in indices))


def _real(node: onnx.NodeProto, read: list[_Line]) -> bool:
    """Whether a node gives real numbers of what it reads."""
    if node.op_type == "Cast":
        return next(a.i for a in node.attribute if a.name == "to") in REAL
    return any(line.real for line in read)


def _added(line: _Line, edge: float, index: int, found: _Found) -> _Line:
    return replace(line, offset=line.offset + edge)


def _subtracted(line: _Line, edge: float, index: int, found: _Found) -> _Line:
    if index == 0:
        return replace(line, offset=line.offset - edge)
    return replace(line, slope=-line.slope, offset=edge - line.offset)


def _scaled(line: _Line, edge: float, index: int, found: _Found) -> _Line:
    return replace(line, slope=line.slope * edge, offset=line.offset * edge)


def _divided(line: _Line, edge: float, index: int, found: _Found) -> _Line:
    if index or not edge:
        return _Line()
    for turn in (-2, -1, 0, 1, 2):
        found.point(line, turn * edge)
    return replace(line, slope=line.slope / edge, offset=line.offset / edge)


def _of_two(kind: str, one: _Line, two: _Line) -> _Line:
    """A sum or difference of two tensors; what is bounded does not change where the other leads."""
    sign = -1.0 if kind == "Sub" else 1.0
    if one.masked and two.masked:
        return replace(two, masked=False)
    if one.bounded and two.bounded:
        return _Line(bounded=True)
    if two.bounded:
        return one
    if one.bounded:
        return _Line(sign * two.slope, sign * two.offset)
    return _Line(one.slope + sign * two.slope, one.offset + sign * two.offset)


_LINES: Mapping[str, Callable[[_Line, float, int, _Found], _Line]] = {
    "Add": _added, "Sub": _subtracted, "Mul": _scaled, "Div": _divided,
}  # fmt: skip
_INDEXED = {"Gather": 1, "GatherElements": 1, "GatherND": 1, "OneHot": 0, "ScatterElements": 1, "ScatterND": 1}


def _rows(node: onnx.NodeProto, shapes: Mapping[str, list[int]], constants: Mapping[str, np.ndarray]) -> int | None:
    """How many rows an index chooses from, where the graph says."""
    if node.op_type == "OneHot":
        depth = _single(constants.get(node.input[1]))
        return int(depth) if depth is not None and depth >= 1 else None
    shape = shapes.get(node.input[0], [])
    if node.op_type in ("GatherND", "ScatterND"):
        several = (shapes.get(node.input[1]) or [0])[-1]
        batched = any(attribute.name == "batch_dims" and attribute.i for attribute in node.attribute)
        return None if batched else min(shape[:several], default=0) or None
    axis = next((attribute.i for attribute in node.attribute if attribute.name == "axis"), 0)
    return (shape[axis] or None) if -len(shape) <= axis < len(shape) else None


def _shapes(graph: onnx.GraphProto) -> dict[str, list[int]]:
    found = {
        value.name: [size.dim_value for size in value.type.tensor_type.shape.dim]
        for value in [*graph.value_info, *graph.input, *graph.output]
        if value.type.tensor_type.HasField("shape")
    }
    return found | {tensor.name: list(tensor.dims) for tensor in graph.initializer}


def _single(value: np.ndarray | None) -> float | None:
    """The one number of a constant, or None where it holds several different ones, or none."""
    if value is None or not value.size or value.dtype.kind not in "biuf" or (value != value.flat[0]).any():
        return None
    return float(value.flat[0])


def _few(value: np.ndarray | None) -> list[float]:
    """The numbers of a small constant."""
    return [] if value is None or value.dtype.kind not in "biuf" else [float(x) for x in np.unique(value)[:8]]


def _within(
    node: onnx.NodeProto,
    lines: Mapping[str, _Line],
    constants: Mapping[str, np.ndarray],
    shapes: Mapping[str, list[int]],
    found: _Found,
) -> None:
    """Note what bodies of control flow do with x: where they only choose rows by it, how many there are; else it is unknown."""
    for body in (a.g for a in node.attribute if a.type == onnx.AttributeProto.GRAPH):
        sizes = {**shapes, **{name: list(tensor.dims) for name, tensor in constant_tensors(body).items()}}
        for inner in body.node:
            read = [index for index, name in enumerate(inner.input) if name in lines]
            rows = _rows(inner, sizes, constants) if read and read == [_INDEXED.get(inner.op_type)] else None
            if rows is not None:
                found.indexes(lines[inner.input[read[0]]], rows)
            found.unknown |= bool(read) and rows is None
            _within(inner, lines, constants, sizes, found)
