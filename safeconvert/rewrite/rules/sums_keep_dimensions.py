"""Sums that keep their dimensions, and a Squeeze behind them."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper

from safeconvert.graph.nodes import Graph, explicit_attributes, rewritten


def rewrite(model: onnx.ModelProto, reads: frozenset[str]) -> onnx.ModelProto:
    """Write ReduceSum with `keepdims=0` as one that keeps them and a Squeeze.

    onnx2keras 0.0.25 keeps them whatever the attribute is.
    """
    return rewritten(model, ("ReduceSum",), _kept)


def _kept(node: onnx.NodeProto, graph: Graph) -> list[onnx.NodeProto] | None:
    attributes = explicit_attributes(node)
    if attributes.get("keepdims", 1) or graph.opset < 13 or node.input[0] not in graph.shapes:
        return None
    if len(node.input) > 1 and node.input[1]:
        axes = graph.values.get(node.input[1])
        if axes is None or not axes.size:
            return None
        summed = axes.tolist()
    else:
        summed = list(range(len(graph.shapes[node.input[0]])))
    name = node.output[0]
    constant_axes = graph.constant(f"{name}_axes", np.array(summed, np.int64))
    return [helper.make_node("ReduceSum", [node.input[0], constant_axes], [f"{name}_sum"], f"{name}_sum", keepdims=1),
            helper.make_node("Squeeze", [f"{name}_sum", constant_axes], [name], node.name)]  # fmt: skip
