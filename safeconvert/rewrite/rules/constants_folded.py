"""Constants as initializers, and everything that depends on constants alone evaluated."""

from __future__ import annotations

import onnx

from safeconvert.graph.fold import drop_unused, fold_constants, replace_nodes


def rewrite(model: onnx.ModelProto, reads: frozenset[str]) -> onnx.ModelProto:
    """Fold constants (onnxscript's optimizer, then `fold`), lift `Constant` nodes to initializers, drop what is unused."""
    from onnxscript import optimizer

    model = optimizer.optimize(model, onnx_shape_inference=True)
    graph = model.graph
    kept = []
    for node in graph.node:
        value = next((a for a in node.attribute if a.name == "value"), None) if node.op_type == "Constant" else None
        if value is not None:
            tensor = onnx.TensorProto()
            tensor.CopyFrom(value.t)
            tensor.name = node.output[0]
            graph.initializer.append(tensor)
        else:
            kept.append(node)
    replace_nodes(graph, kept)
    return drop_unused(fold_constants(model))
