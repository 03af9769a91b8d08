"""Local response normalization in simpler operators."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper

from safeconvert.graph.nodes import Graph, explicit_attributes, rewritten


def rewrite(model: onnx.ModelProto, reads: frozenset[str]) -> onnx.ModelProto:
    """Write LRN as x · (bias + alpha / size · sum of squares)^-beta, the sum by a 1×1 Conv with a band of ones.

    onnx2keras 0.0.25 hands `size` on as TensorFlow's `depth_radius` (the half of it) and `alpha` without dividing it by the
    size, so that every value comes out wrong.
    """
    return rewritten(model, ("LRN",), _decomposed)


def _decomposed(node: onnx.NodeProto, graph: Graph) -> list[onnx.NodeProto] | None:
    shape, attributes = graph.shapes.get(node.input[0], ()), explicit_attributes(node)
    if len(shape) != 4 or shape[1] is None:
        return None
    data, name, channels, size = node.input[0], node.output[0], int(shape[1]), attributes["size"]
    before, after = (size - 1) // 2, (size - 1) - (size - 1) // 2
    row, column = np.indices((channels, channels))
    band = ((column >= row - before) & (column <= row + after)) * np.float32(attributes.get("alpha", 1e-4) / size)
    kernel = graph.constant(f"{name}_band", band.astype(np.float32)[:, :, None, None])
    bias = graph.constant(f"{name}_bias", np.full(channels, attributes.get("bias", 1.0), np.float32))
    power = graph.scalar(f"{name}_power", -attributes.get("beta", 0.75), data)
    window = {"kernel_shape": [1, 1], "strides": [1, 1], "pads": [0, 0, 0, 0], "dilations": [1, 1], "group": 1}
    return [
        helper.make_node("Mul", [data, data], [f"{name}_squares"], f"{name}_squares"),
        helper.make_node("Conv", [f"{name}_squares", kernel, bias], [f"{name}_sum"], f"{name}_sum", **window),
        helper.make_node("Pow", [f"{name}_sum", power], [f"{name}_factor"], f"{name}_factor"),
        helper.make_node("Mul", [data, f"{name}_factor"], [name], node.name),
    ]
