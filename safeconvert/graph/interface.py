"""Change what a graph takes and gives: an input scaled or of another size, fewer outputs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import helper, numpy_helper

from safeconvert.graph.fold import drop_unused


def scale_input(
    model: onnx.ModelProto, axis: int, factor: Sequence[float], offset: Sequence[float], reverse: bool
) -> onnx.ModelProto:
    """Let the only input pass through `factor * x + offset` first, a number each a channel.

    Args:
        model: with one real input; not changed.
        axis: of the channels.
        factor, offset: one for each channel, in the order that the graph takes them.
        reverse: the channels arrive in the opposite order.

    Raises:
        ValueError: the graph has another number of inputs.
    """
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    graph = changed.graph
    constants = {tensor.name for tensor in graph.initializer}
    values = [value for value in graph.input if value.name not in constants]
    if len(values) != 1:
        raise ValueError(f"the graph has {len(values)} inputs, not one")
    rank = len(values[0].type.tensor_type.shape.dim)
    name, axis = _behind_transposes(graph, values[0].name, axis)
    shape = [len(factor) if position == axis else 1 for position in range(rank)]
    for node in graph.node:
        node.input[:] = [f"{name}/prepared" if each == name else each for each in node.input]
    made = [
        helper.make_node("Mul", [name, f"{name}/factor"], [f"{name}/scaled"], f"{name}/scale"),
        helper.make_node("Add", [f"{name}/scaled", f"{name}/offset"], [f"{name}/prepared"], f"{name}/shift"),
    ]
    if reverse:  # slices, since converters take Gather for a table look-up
        parts = []
        for position in reversed(range(len(factor))):
            parts.append(f"{name}/channel{position}")
            bounds = [f"{parts[-1]}/{bound}" for bound in ("start", "end", "axis")]
            for bound, number in zip(bounds, (position, position + 1, axis), strict=True):
                graph.initializer.append(numpy_helper.from_array(np.array([number], np.int64), bound))
            made.insert(0, helper.make_node("Slice", [name, *bounds], [parts[-1]], parts[-1]))
        made[-2].input[0] = f"{name}/reversed"
        made.insert(-2, helper.make_node("Concat", parts, [f"{name}/reversed"], f"{name}/reverse", axis=axis))
    for kind, numbers in (("factor", factor), ("offset", offset)):
        array = np.asarray(numbers, np.float32).reshape(shape)
        graph.initializer.append(numpy_helper.from_array(array, f"{name}/{kind}"))
    position = next((n + 1 for n, node in enumerate(graph.node) if name in node.output), 0)
    nodes = [*graph.node[:position], *made, *graph.node[position:]]
    copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in nodes]
    del graph.node[:]
    graph.node.extend(copies)
    return changed


def _behind_transposes(graph: onnx.GraphProto, name: str, axis: int) -> tuple[str, int]:
    """The tensor and axis behind Transposes that alone read an input: converters know those in front only."""
    while True:
        readers = [node for node in graph.node if name in node.input]
        if len(readers) != 1 or readers[0].op_type != "Transpose" or not readers[0].attribute:
            return name, axis
        name, axis = readers[0].output[0], list(readers[0].attribute[0].ints).index(axis)


def resize_inputs(model: onnx.ModelProto, shapes: Sequence[Sequence[int | None]]) -> onnx.ModelProto:
    """Declare other sizes for the inputs, in order, and forget the sizes of everything that follows from them.

    Args:
        model: not changed.
        shapes: one for each real input; None is a free dimension.

    Raises:
        ValueError: another number of inputs, or an input of another rank.
    """
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    graph = changed.graph
    constants = {tensor.name for tensor in graph.initializer}
    values = [value for value in graph.input if value.name not in constants]
    if len(values) != len(shapes):
        raise ValueError(f"the graph has {len(values)} inputs, not {len(shapes)}")
    for value, shape in zip(values, shapes, strict=True):
        dims = value.type.tensor_type.shape.dim
        if len(dims) != len(shape):
            raise ValueError(f"input {value.name} has {len(dims)} dimensions, not {len(shape)}")
        for position, (dim, size) in enumerate(zip(dims, shape, strict=True)):
            dim.Clear()
            if size is None:
                dim.dim_param = f"{value.name}_{position}"
            else:
                dim.dim_value = size
    del graph.value_info[:]
    for value in graph.output:
        for position, dim in enumerate(value.type.tensor_type.shape.dim):
            dim.Clear()
            dim.dim_param = f"{value.name}_{position}"
    return changed


def keep_outputs(model: onnx.ModelProto, positions: Sequence[int]) -> onnx.ModelProto:
    """Drop the other outputs, and what only they need."""
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    graph = changed.graph
    kept = [onnx.ValueInfoProto.FromString(graph.output[position].SerializeToString()) for position in positions]
    del graph.output[:]
    graph.output.extend(kept)
    return drop_unused(changed)
