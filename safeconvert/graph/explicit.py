"""Write operators in the forms that onnx2keras 0.0.25 reads, their function unchanged."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import defs, helper, numpy_helper

from safeconvert.graph.fold import replace_nodes
from safeconvert.graph.shapes import inferred_shapes


def explicit_defaults(model: onnx.ModelProto) -> onnx.ModelProto:
    """Write out the default value of every attribute that a node leaves unsaid.

    onnx2keras 0.0.25 reads `params['axis']` of a Softmax and dies with KeyError where it is left to its default.
    """
    opset = next(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx"))
    for node in model.graph.node:
        if node.domain not in ("", "ai.onnx") or not defs.has(node.op_type, opset, ""):
            continue
        said = {attribute.name for attribute in node.attribute}
        for name, attribute in defs.get_schema(node.op_type, opset, "").attributes.items():
            if name not in said and attribute.default_value.type != onnx.AttributeProto.UNDEFINED:
                node.attribute.append(attribute.default_value)
    return model


def flatten_pooled(model: onnx.ModelProto) -> onnx.ModelProto:
    """Say Squeeze or Reshape of a globally pooled (N,C,1,1) tensor to (N,C) as Flatten.

    onnx2keras 0.0.25 squeezes the wrong axes after `change_ordering` ("weight shape (1, 1000) is not compatible").
    """
    shapes = inferred_shapes(model)
    for node in model.graph.node:
        if node.op_type not in ("Squeeze", "Reshape") or not node.input:
            continue
        before, after = shapes.get(node.input[0]), shapes.get(node.output[0])
        pooled = before is not None and len(before) == 4 and before[2:] == (1, 1)
        if pooled and after is not None and len(after) == 2 and before is not None and after[1] == before[1]:
            flat = helper.make_node("Flatten", [node.input[0]], list(node.output), node.name, axis=1)
            node.CopyFrom(flat)
    return model


def strided_slices_as_pooling(model: onnx.ModelProto) -> onnx.ModelProto:
    """Say a slice with steps along the two image axes as a MaxPool with a 1×1 window.

    onnx2keras 0.0.25 ignores the steps of a Slice. Only `start 0, to the end` slices of rank-4 tensors are taken; two in
    a row, one an axis, each become a pool.
    """
    graph = model.graph
    values = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    shapes = inferred_shapes(model)
    for node in graph.node:
        if node.op_type != "Slice" or len(node.input) < 5 or len(shapes.get(node.input[0], ())) != 4:
            continue
        arguments = [values.get(name) for name in node.input[1:5]]
        if any(argument is None for argument in arguments):
            continue
        starts, ends, axes, steps = (np.asarray(argument).tolist() for argument in arguments)
        size = shapes[node.input[0]]
        whole = all(
            start == 0 and axis in (2, 3) and step > 0 and size[axis] is not None and end >= (size[axis] or 0)
            for start, end, axis, step in zip(starts, ends, axes, steps, strict=True)
        )
        if whole and any(step > 1 for step in steps):
            strides = [dict(zip(axes, steps, strict=True)).get(axis, 1) for axis in (2, 3)]
            pool = helper.make_node(
                "MaxPool", [node.input[0]], list(node.output), node.name,
                kernel_shape=[1, 1], strides=strides, pads=[0, 0, 0, 0], ceil_mode=0,
            )  # fmt: skip
            node.CopyFrom(pool)
    return model


def channel_pads_as_concat(model: onnx.ModelProto) -> onnx.ModelProto:
    """Say a zero Pad of the channel axis as a Concat with zeros made from the input.

    onnx2keras 0.0.25 pads the image axes only.
    """
    graph = model.graph
    values = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    shapes = inferred_shapes(model)
    nodes: list[onnx.NodeProto] = []
    for node in graph.node:
        shape = shapes.get(node.input[0]) if node.op_type == "Pad" else None
        pads = values.get(node.input[1]) if shape is not None and len(node.input) > 1 else None
        fill = values.get(node.input[2]) if len(node.input) > 2 and node.input[2] else np.float32(0)
        mode = next((a.s.decode() for a in node.attribute if a.name == "mode"), "constant")
        if pads is None or shape is None or len(shape) != 4 or mode != "constant" or fill is None or np.any(fill != 0):
            nodes.append(node)
            continue
        front, back = int(pads[1]), int(pads[5])
        others = [int(pads[axis]) for axis in (0, 2, 3, 4, 6, 7)]
        if any(others) or not (front or back) or shape[1] is None:
            nodes.append(node)
            continue
        nodes.extend(_concat_with_zeros(graph, node, int(shape[1]), front, back))
    replace_nodes(graph, nodes)
    return model


def channel_constants_as_batchnorm(model: onnx.ModelProto) -> onnx.ModelProto:
    """Say `Mul` or `Add` of a rank-4 tensor and a constant of one value a channel as a BatchNormalization.

    onnx2keras 0.0.25 leaves such constants in NCHW shape when it reorders ("incompatible shapes (32, 32, 16) and
    (16, 1, 1)"). With mean 0, variance 1 and epsilon 0 the operator is exactly scale · x + bias.
    """
    graph = model.graph
    values = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    shapes = inferred_shapes(model)
    for node in graph.node:
        if node.op_type not in ("Mul", "Add", "Sub") or len(node.input) != 2:
            continue
        data, constant = node.input
        if data in values and node.op_type != "Sub":
            data, constant = constant, data
        value, shape = values.get(constant), shapes.get(data)
        if value is None or data in values or shape is None or len(shape) != 4 or shape[1] is None:
            continue
        channels = int(shape[1])
        if value.dtype != np.float32 or value.size != channels or value.shape[-3:] != (channels, 1, 1):
            continue
        flat = value.reshape(-1)
        scale = flat if node.op_type == "Mul" else np.ones(channels, np.float32)
        bias = {"Mul": np.zeros(channels, np.float32), "Add": flat, "Sub": -flat}[node.op_type]
        parameters = {"scale": scale, "bias": bias, "mean": np.zeros_like(flat), "variance": np.ones_like(flat)}
        names = [f"{node.output[0]}_{key}" for key in parameters]
        graph.initializer.extend(map(numpy_helper.from_array, parameters.values(), names))
        node.CopyFrom(helper.make_node("BatchNormalization", [data, *names], list(node.output), node.name, epsilon=0.0))
    return model


def _concat_with_zeros(
    graph: onnx.GraphProto, node: onnx.NodeProto, channels: int, front: int, back: int
) -> list[onnx.NodeProto]:
    """Zero channels come from a 1×1 convolution with a kernel of zeros: it follows the batch and the image size."""
    made: list[onnx.NodeProto] = []
    parts = [node.input[0]]
    for count, place in ((front, 0), (back, len(parts) + 1)):
        if count:
            name = f"{node.output[0]}_zeros{place}"
            kernel = numpy_helper.from_array(np.zeros((count, channels, 1, 1), np.float32), f"{name}_kernel")
            graph.initializer.append(kernel)
            made.append(
                helper.make_node(
                    "Conv",
                    [node.input[0], kernel.name],
                    [name],
                    name,
                    kernel_shape=[1, 1],
                    strides=[1, 1],
                    pads=[0, 0, 0, 0],
                    dilations=[1, 1],
                    group=1,
                )  # fmt: skip
            )
            parts.insert(0 if place == 0 else len(parts), name)
    made.append(helper.make_node("Concat", parts, list(node.output), node.name, axis=1))
    return made
