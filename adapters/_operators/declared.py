"""Shapes that a graph declares, and what follows from them backwards.

Where a shape depends on an input of the model (the axes of a ReduceSum, the shape of a Reshape), shape inference knows nothing
of the result; what the graph declares for its outputs then settles it, through all operators that keep a shape.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import onnx

Shape = tuple[int, ...]
_KEEP = {
    "Abs", "Acos", "Asin", "Atan", "Cast", "CastLike", "Ceil", "Cos", "Cosh", "Erf", "Exp", "Floor", "HardSigmoid", "Identity",
    "LeakyRelu", "Log", "Neg", "Not", "Reciprocal", "Relu", "Round", "Sigmoid", "Sign", "Sin", "Sinh", "Sqrt", "Tan", "Tanh",
}  # fmt: skip
_PAIRS = {"Add", "Sub", "Mul", "Div", "Pow", "Max", "Min", "Equal", "Less", "Greater", "And", "Or", "Where", "Mod"}


def declared(values: Iterable[onnx.ValueInfoProto]) -> dict[str, Shape]:
    """The shapes, by name, of tensors all of whose sizes are declared as numbers."""
    found = {}
    for value in values:
        tensor = value.type.tensor_type
        if tensor.HasField("shape") and all(dim.HasField("dim_value") for dim in tensor.shape.dim):
            found[value.name] = tuple(int(dim.dim_value) for dim in tensor.shape.dim)
    return found


def spread(nodes: Sequence[onnx.NodeProto], known: Mapping[str, Shape], scalars: Collection[str]) -> dict[str, Shape]:
    """What the known shapes say of the tensors that they are computed from.

    Args:
        nodes: in the order of the graph.
        known: shapes by name.
        scalars: names of tensors without dimensions.

    Returns:
        `known`, and the shapes of the tensors that have the same one: through element-wise operators with one operand, with
        others that are scalars, or with operands that have the same shape as each other.
    """
    single: set[str] = set(scalars)
    first: dict[str, str] = {}
    for node in nodes:
        operands = list(node.input[:1]) if node.op_type in _KEEP else list(node.input) if node.op_type in _PAIRS else []
        if operands and all(name in single for name in operands):
            single.add(node.output[0])
        alike = {first.get(name, name) for name in operands if name not in single}
        if len(alike) == 1:
            first[node.output[0]] = alike.pop()
    shapes = {first[name]: shape for name, shape in known.items() if name in first}
    settled = {name: shapes[root] for name, root in first.items() if root in shapes}
    return {**shapes, **settled, **known}
