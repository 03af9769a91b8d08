"""One-dimensional convolutions as two-dimensional ones."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper

from safeconvert.graph.nodes import Graph, explicit_attributes, rewritten


def rewrite(model: onnx.ModelProto, reads: frozenset[str]) -> onnx.ModelProto:
    """Write a Conv on (N,C,L) as one on (N,C,1,L).

    onnx2keras 0.0.25 ignores `pads`, `dilations`, `group` and the bias of a one-dimensional Conv, and always pads to the
    same size.
    """
    return rewritten(model, ("Conv",), _wide)


def _wide(node: onnx.NodeProto, graph: Graph) -> list[onnx.NodeProto] | None:
    weights, attributes = graph.values.get(node.input[1]), explicit_attributes(node)
    if weights is None or weights.ndim != 3 or graph.opset < 13 or attributes.get("auto_pad", "NOTSET") != "NOTSET":
        return None
    name = node.output[0]
    axis = graph.constant(f"{name}_axis", np.array([2], np.int64))
    kernel = graph.constant(f"{name}_kernel", weights[:, :, None, :])
    front, back = attributes.get("pads", [0, 0])
    options = {
        "kernel_shape": [1, weights.shape[2]], "strides": [1, *attributes.get("strides", [1])],
        "dilations": [*attributes.get("dilations", [1])] * 2, "pads": [0, front, 0, back],
        "group": attributes.get("group", 1),
    }  # fmt: skip
    return [
        helper.make_node("Unsqueeze", [node.input[0], axis], [f"{name}_wide"], f"{name}_wide"),
        helper.make_node(
            "Conv", [f"{name}_wide", kernel, *node.input[2:]], [f"{name}_conv"], f"{name}_conv", **options
        ),
        helper.make_node("Squeeze", [f"{name}_conv", axis], [name], node.name),
    ]
