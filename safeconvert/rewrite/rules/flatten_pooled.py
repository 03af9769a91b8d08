"""Write Squeeze or Reshape of a pooled tensor as Flatten."""

from __future__ import annotations

import onnx
from onnx import helper

from safeconvert.graph.shapes import inferred_shapes


def rewrite(model: onnx.ModelProto, reads: frozenset[str]) -> onnx.ModelProto:
    """Write Squeeze or Reshape of a globally pooled (N,C,1,1) tensor to (N,C) as Flatten.

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
