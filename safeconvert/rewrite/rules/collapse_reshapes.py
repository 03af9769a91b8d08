"""Let a Reshape read past the Reshapes in front of it."""

from __future__ import annotations

import onnx

from safeconvert.graph.constants import Constants
from safeconvert.graph.fold import drop_unused


def rewrite(model: onnx.ModelProto, reads: frozenset[str]) -> onnx.ModelProto:
    """Let a Reshape to a constant shape read past the Reshape, Squeeze, Unsqueeze or Flatten in front of it.

    All of them keep the elements in their order, and the last one sets the shape (a 0 in it would mean the shape before).
    """
    graph = model.graph
    makers = {output: node for node in graph.node for output in node.output}
    values = Constants(graph)
    for node in graph.node:
        shape = values.get(node.input[1]) if node.op_type == "Reshape" else None
        if shape is None or 0 in shape:
            continue
        front = makers.get(node.input[0])
        while front is not None and front.op_type in ("Reshape", "Squeeze", "Unsqueeze", "Flatten"):
            node.input[0] = front.input[0]
            front = makers.get(node.input[0])
    return drop_unused(model)
