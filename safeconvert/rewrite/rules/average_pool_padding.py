"""Average pooling without padding of its own."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper

from safeconvert.graph.nodes import Graph, explicit_attributes, rewritten


def rewrite(model: onnx.ModelProto, reads: frozenset[str]) -> onnx.ModelProto:
    """Bring the padding of an AveragePool out in front of it as zeros.

    onnx2keras 0.0.25 pads with zeros, both sides as the first, and divides by the whole window whatever `count_include_pad`
    is. Where the padding does not count, the pool of the input is divided by the same pool of ones, which are made
    from the input. What it reads right stays: odd windows of stride 1 with half of them on each side.
    """
    return rewritten(model, ("AveragePool",), _padded)


def _padded(node: onnx.NodeProto, graph: Graph) -> list[onnx.NodeProto] | None:
    attributes = explicit_attributes(node)
    kernel, pads = attributes["kernel_shape"], attributes.get("pads", [])
    rank = len(kernel)
    counted = attributes.get("count_include_pad", 0)
    plain = attributes.get("auto_pad", "NOTSET") == "NOTSET" and not attributes.get("ceil_mode", 0)
    if not any(pads) or not plain or any(d != 1 for d in attributes.get("dilations", [])):
        return None
    half = pads == [size // 2 for size in kernel] * 2 and all(size % 2 for size in kernel)
    if half and not counted and attributes.get("strides", [1] * rank) == [1] * rank:
        return None
    name, data = node.output[0], node.input[0]
    padding = graph.constant(f"{name}_pads", np.array([0, 0, *pads[:rank], 0, 0, *pads[rank:]], np.int64))
    options = {"kernel_shape": kernel, "strides": attributes.get("strides", [1] * rank), "count_include_pad": 1}

    def pooled(front: str, back: str) -> list[onnx.NodeProto]:
        between = f"{back}_padded"
        return [helper.make_node("Pad", [front, padding], [between], f"{back}_pad", mode="constant"),
                helper.make_node("AveragePool", [between], [back], f"{back}_pool", pads=[0] * 2 * rank, **options)]  # fmt: skip

    if counted:
        return pooled(data, name)
    zero, one = graph.scalar(f"{name}_zero", 0, data), graph.scalar(f"{name}_one", 1, data)
    return [
        helper.make_node("Mul", [data, zero], [f"{name}_nil"], f"{name}_nil"),
        helper.make_node("Add", [f"{name}_nil", one], [f"{name}_ones"], f"{name}_ones"),
        *pooled(data, f"{name}_sum"), *pooled(f"{name}_ones", f"{name}_count"),
        helper.make_node("Div", [f"{name}_sum", f"{name}_count"], [name], node.name),
    ]  # fmt: skip
