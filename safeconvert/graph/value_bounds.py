"""What each tensor of a graph can hold whatever the inputs are, by interval bounds from the inputs on; and what nothing can exercise."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
import onnx
from onnx import helper

from safeconvert.graph.bound_rules import Bound, Operands, bound_of, of_constant, of_type
from safeconvert.graph.constants import small_constants
from safeconvert.graph.coverage_points import Point

_LARGEST = 1 << 22  # elements of a constant that is looked at
_ALL: Bound = (np.asarray(-np.inf), np.asarray(np.inf))


def value_bounds(model: onnx.ModelProto) -> dict[str, Bound]:
    """By tensor, its least and its largest value, each () or (K,) along its last axis; a tensor of which nothing is known is absent."""
    graph = onnx.shape_inference.infer_shapes(model).graph if model.ByteSize() < 1 << 28 else model.graph
    values = [*graph.value_info, *graph.input, *graph.output]
    types = {value.name: value.type.tensor_type.elem_type for value in values}
    ranks = {v.name: len(v.type.tensor_type.shape.dim) for v in values if v.type.tensor_type.HasField("shape")}
    constants = small_constants(model.graph, _LARGEST)
    found: dict[str, Bound] = {}
    for name, value in constants.items():
        bound = of_constant(value)
        found |= {name: bound} if bound is not None else {}
    for given in model.graph.input:
        bound = of_type(types.get(given.name, 0))
        if given.name not in constants and bound is not None:
            found[given.name] = bound
    for node in model.graph.node:
        if not node.output:
            continue
        name = node.output[0]
        operands = Operands(
            [found.get(one, _ALL) if one else None for one in node.input],
            [constants.get(one) for one in node.input],
            {one.name: helper.get_attribute_value(one) for one in node.attribute},
            ranks.get(name, 0),
        )
        bound = _held(bound_of(node.op_type, operands), types.get(name, 0)) if name not in constants else None
        for other in node.output if bound is not None and node.op_type == "Split" else [name]:
            found |= {other: bound} if bound is not None else {}
    return found


def _held(bound: Bound | None, code: int) -> Bound | None:
    """A bound within what its type holds: what is beyond it wraps around."""
    limits = of_type(code)
    if limits is None:
        return bound
    return bound if bound is not None and (bound[0] >= limits[0]).all() and (bound[1] <= limits[1]).all() else limits


def unreachable(point: Point, bounds: Mapping[str, Bound]) -> frozenset[str]:
    """The items of a point that no input exercises, by the bounds of the tensor that it looks at."""
    if point.tensor not in bounds:
        return frozenset()
    low, high = (float(end.min()) if index == 0 else float(end.max()) for index, end in enumerate(bounds[point.tensor]))
    items = point.items()
    if point.kind == "truth":
        return frozenset(item for item, never in zip(items, (high < 1, low >= 1), strict=True) if never)
    if point.kind == "rows":
        if low < 0:
            return frozenset()
        edges = point.edges()
        return frozenset(item for item, (a, b) in zip(items, pairwise(edges), strict=True) if b - 1 < low or a > high)
    edge = point.low or 0.0
    if point.kind == "calm":
        return frozenset(items) if low >= edge or high <= -edge else frozenset()
    if point.kind == "shares":
        return frozenset(items) if float(bounds[point.tensor][0].max()) >= edge else frozenset()
    if point.kind == "sides":
        below = {items[0]} if point.low is not None and low >= point.low else set()
        return frozenset(below | ({items[-1]} if point.high is not None and high <= point.high else set()))
    return frozenset()


def constant_elements(bounds: Mapping[str, Bound], name: str) -> list[bool]:
    """Of each place along an output's last axis (one for all where they are not told apart), whether float32 holds one value there."""
    if name not in bounds:
        return [False]
    low, high = np.broadcast_arrays(*(np.atleast_1d(end).astype(np.float32) for end in bounds[name]))
    return [bool(one == two) for one, two in zip(low, high, strict=True)]
