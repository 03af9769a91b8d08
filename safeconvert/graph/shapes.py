"""Shapes of a graph's tensors."""

from __future__ import annotations

import math

import onnx

_LARGE = 1024
"""Elements; no shape depends on the values of a constant of more."""


def inferred(model: onnx.ModelProto, data_prop: bool = True) -> onnx.GraphProto:
    """The graph with what shape inference finds; large constants are declared there, without their values.

    Without them, inference takes as long for a net of 500 MB as for one of 5.
    """
    light = onnx.ModelProto(ir_version=max(model.ir_version, 4))
    light.opset_import.extend(model.opset_import)
    light.functions.extend(model.functions)
    graph = light.graph
    graph.name = model.graph.name
    for field in ("node", "input", "output", "value_info", "sparse_initializer"):
        getattr(graph, field).extend(getattr(model.graph, field))
    declared = {value.name for value in graph.input}
    for tensor in model.graph.initializer:
        if math.prod(tensor.dims) <= _LARGE:
            graph.initializer.append(tensor)
        elif tensor.name not in declared:
            graph.input.append(onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, list(tensor.dims)))
    return onnx.shape_inference.infer_shapes(light, data_prop=data_prop).graph


def inferred_shapes(model: onnx.ModelProto) -> dict[str, tuple[int | None, ...]]:
    """By tensor name, what shape inference finds; None is a size that is not known, absent a rank that is not."""
    return shapes_of(inferred(model))


def shapes_of(graph: onnx.GraphProto) -> dict[str, tuple[int | None, ...]]:
    """By tensor name, the shapes that a graph declares."""
    return {
        value.name: tuple(d.dim_value if d.HasField("dim_value") else None for d in value.type.tensor_type.shape.dim)
        for value in [*graph.value_info, *graph.input, *graph.output]
        if value.type.tensor_type.HasField("shape")
    }
