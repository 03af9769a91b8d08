"""Which tensors hold sizes of other tensors: what exporters compute with Shape, Gather, Slice and Concat."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping

import numpy as np
import onnx
from onnx import helper

from safeconvert.core.tensors import array_of
from safeconvert.graph.shapes import inferred

Dimension = tuple[str, int]
"""A dimension that is not known yet: of this tensor, this axis."""
Size = int | Dimension
_ARITHMETIC: dict[str, Callable[[int, int], int]] = {
    "Add": operator.add, "Sub": operator.sub, "Mul": operator.mul, "Div": operator.floordiv,
}  # fmt: skip
SIZE_OPERATORS = {"Shape", "Gather", "Concat", "Slice", "Cast", "Squeeze", "Unsqueeze", *_ARITHMETIC}
"""Operators that sizes are computed with."""
_SAME_SHAPE = {"Relu", "Cast", "Identity", "Sigmoid", "Tanh", "Clip", "LeakyRelu", "Elu", "Softmax", "Dropout"}


def symbolic_sizes(model: onnx.ModelProto) -> dict[str, list[Size]]:
    """By tensor, the sizes that it holds in order: a number, or the dimension that it is."""
    graph = model.graph
    ranks = _ranks(model)
    makers = {output: node for node in graph.node for output in node.output}
    known: dict[str, list[Size]] = {}
    constants = {}
    for tensor in graph.initializer:
        if tensor.data_type in (onnx.TensorProto.INT64, onnx.TensorProto.INT32) and len(tensor.dims) <= 1:
            constants[tensor.name] = array_of(tensor)
            known[tensor.name] = [int(number) for number in np.atleast_1d(constants[tensor.name])]
    for node in graph.node:
        found = _sizes(node, known, constants, ranks, makers)
        if found is not None:
            known[node.output[0]] = found
    return known


def origin(tensor: str, axis: int, makers: Mapping[str, onnx.NodeProto]) -> Dimension:
    """The first dimension that one is the same as, behind Transposes and what keeps shapes."""
    node = makers.get(tensor)
    while node is not None:
        if node.op_type == "Transpose":
            order = next((list(a.ints) for a in node.attribute if a.name == "perm"), None)
            if order is None:
                break
            axis = order[axis]
        elif node.op_type not in _SAME_SHAPE:
            break
        tensor = node.input[0]
        node = makers.get(tensor)
    return tensor, axis


def _sizes(
    node: onnx.NodeProto,
    known: Mapping[str, list[Size]],
    constants: Mapping[str, np.ndarray],
    ranks: Mapping[str, tuple[int | None, ...]],
    makers: Mapping[str, onnx.NodeProto],
) -> list[Size] | None:
    attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    inputs = [name for name in node.input if name]
    if node.op_type == "Shape" and not attributes and inputs[0] in ranks:
        shape = ranks[inputs[0]]
        return [size if size is not None else origin(inputs[0], axis, makers) for axis, size in enumerate(shape)]
    if not inputs or any(name not in known for name in inputs):
        return None
    given = known[inputs[0]]
    if node.op_type in ("Cast", "Unsqueeze", "Squeeze", "Identity"):
        return given
    if node.op_type in _ARITHMETIC and len(inputs) == 2:
        left, right = given, known[inputs[1]]
        if len(left) == len(right) and all(isinstance(size, int) for size in [*left, *right]):
            return [_ARITHMETIC[node.op_type](int(one), int(two)) for one, two in zip(left, right, strict=True)]  # type: ignore[arg-type]
        return None
    if node.op_type == "Gather" and attributes.get("axis", 0) == 0:
        return [given[int(index)] for index in known[inputs[1]] if isinstance(index, int)]
    if node.op_type == "Concat":
        return [size for name in inputs for size in known[name]]
    if node.op_type == "Slice" and all(name in constants for name in inputs[1:]):
        bounds = [int(np.atleast_1d(constants[name])[0]) for name in inputs[1:]]
        return given[bounds[0] : bounds[1] : bounds[3] if len(bounds) > 3 else 1]
    return None


def _ranks(model: onnx.ModelProto) -> dict[str, tuple[int | None, ...]]:
    """Shapes of what shape inference reaches; None for a dimension without a number."""
    graph = inferred(model)
    return {
        value.name: tuple(dim.dim_value or None for dim in value.type.tensor_type.shape.dim)
        for value in [*graph.input, *graph.value_info, *graph.output]
        if value.type.tensor_type.HasField("shape")
    }
