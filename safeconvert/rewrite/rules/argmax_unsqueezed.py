"""Places of the largest, and the axis put back behind them."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper

from safeconvert.graph.nodes import Graph, explicit_attributes, rewritten


def rewrite(model: onnx.ModelProto, reads: frozenset[str]) -> onnx.ModelProto:
    """Write ArgMax that keeps its axis as one that does not, and an Unsqueeze.

    onnx2keras 0.0.25 drops the axis whatever `keepdims` is.
    """
    return rewritten(model, ("ArgMax",), _put_back)


def _put_back(node: onnx.NodeProto, graph: Graph) -> list[onnx.NodeProto] | None:
    attributes = explicit_attributes(node)
    if not attributes.get("keepdims", 1) or attributes.get("axis", 0) < 0 or graph.opset < 13:
        return None
    name = node.output[0]
    axis = graph.constant(f"{name}_axis", np.array([attributes.get("axis", 0)], np.int64))
    options = {**attributes, "keepdims": 0}
    return [helper.make_node("ArgMax", list(node.input), [f"{name}_flat"], f"{name}_flat", **options),
            helper.make_node("Unsqueeze", [f"{name}_flat", axis], [name], node.name)]  # fmt: skip
