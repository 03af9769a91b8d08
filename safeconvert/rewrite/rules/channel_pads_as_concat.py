"""Write padded channels as a Concat with zeros."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper, numpy_helper

from safeconvert.graph.constants import Constants
from safeconvert.graph.fold import replace_nodes
from safeconvert.graph.shapes import inferred_shapes


def rewrite(model: onnx.ModelProto, reads: frozenset[str]) -> onnx.ModelProto:
    """Write a zero Pad of the channel axis as a Concat with zeros made from the input.

    onnx2keras 0.0.25 pads the image axes only.
    """
    graph = model.graph
    values = Constants(graph)
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


def _concat_with_zeros(
    graph: onnx.GraphProto, node: onnx.NodeProto, channels: int, front: int, back: int
) -> list[onnx.NodeProto]:
    """Zero channels come from a 1×1 convolution with a kernel of zeros: it follows the batch and the image size."""
    made: list[onnx.NodeProto] = []
    parts = [node.input[0]]
    for count, position in ((front, 0), (back, len(parts) + 1)):
        if count:
            name = f"{node.output[0]}_zeros{position}"
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
            parts.insert(0 if position == 0 else len(parts), name)
    made.append(helper.make_node("Concat", parts, list(node.output), node.name, axis=1))
    return made
