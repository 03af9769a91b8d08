"""Global average pooling as a mean."""

from __future__ import annotations

import onnx
from onnx import helper

from safeconvert.graph.nodes import Graph, rewritten

_FLAT = {"Flatten", "Reshape", "Squeeze"}


def rewrite(model: onnx.ModelProto, reads: frozenset[str]) -> onnx.ModelProto:
    """Write GlobalAveragePool as a ReduceMean over the image axes, and GlobalMaxPool as a ReduceMax.

    onnx2keras 0.0.25 appends the two axes of size 1 behind the channels, also where those go last: the gate of a
    squeeze-and-excite block (EfficientNet, RegNet) then has the channels where an image axis is ("incompatible shapes").
    Pools of four axes that are only flattened stay.
    """
    flattened: dict[str, list[bool]] = {}
    for node in model.graph.node:
        for name in node.input:
            flattened.setdefault(name, []).append(node.op_type in _FLAT)

    def mean(node: onnx.NodeProto, graph: Graph) -> list[onnx.NodeProto] | None:
        rank = len(graph.shapes.get(node.input[0], ()))
        kept = node.op_type == "GlobalAveragePool" and rank == 4 and all(flattened.get(node.output[0], [False]))
        if rank < 3 or kept or graph.opset >= 18:
            return None
        kind = {"GlobalAveragePool": "ReduceMean", "GlobalMaxPool": "ReduceMax"}[node.op_type]
        axes = list(range(2, rank))
        return [helper.make_node(kind, list(node.input), list(node.output), node.name, axes=axes, keepdims=1)]

    return rewritten(model, ("GlobalAveragePool", "GlobalMaxPool"), mean)
