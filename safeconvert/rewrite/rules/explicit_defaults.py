"""Write out the default value of every attribute that a node leaves unsaid."""

from __future__ import annotations

import onnx
from onnx import defs


def rewrite(model: onnx.ModelProto, reads: frozenset[str]) -> onnx.ModelProto:
    """Write out the default value of every attribute that a node leaves unsaid.

    onnx2keras 0.0.25 reads `params['axis']` of a Softmax and dies with KeyError where it is left to its default.
    """
    opset = next(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx"))
    for node in model.graph.node:
        if node.domain not in ("", "ai.onnx") or not defs.has(node.op_type, opset, ""):
            continue
        explicit = {attribute.name for attribute in node.attribute}
        for name, attribute in defs.get_schema(node.op_type, opset, "").attributes.items():
            if name not in explicit and attribute.default_value.type != onnx.AttributeProto.UNDEFINED:
                node.attribute.append(attribute.default_value)
    return model
