"""Names that every framework takes."""

from __future__ import annotations

import re

import onnx


def rewrite(model: onnx.ModelProto, reads: frozenset[str]) -> onnx.ModelProto:
    """Rename every value and node to letters, digits and underscores; inputs and outputs keep a readable name.

    Keras refuses '/' in layer names, and torch.export's archive mangles ';' (TFLite's fused names), as seen in
    keras 3.15 and torch 2.13.
    """
    taken: set[str] = set()
    names: dict[str, str] = {"": ""}

    def safe(name: str) -> str:
        if name not in names:
            base = re.sub(r"\W+", "_", name.removesuffix(":0")).strip("_") or "value"
            base = f"v_{base}" if base[0].isdigit() else base
            base = base[:80]
            candidate, number = base, 1
            while candidate.lower() in taken:
                candidate, number = f"{base}_{number}", number + 1
            taken.add(candidate.lower())
            names[name] = candidate
        return names[name]

    graph = model.graph
    for value in [*graph.input, *graph.output]:
        value.name = safe(value.name)
    for tensor in graph.initializer:
        tensor.name = safe(tensor.name)
    for number, node in enumerate(graph.node):
        _rename_captured(node, safe)
        node.input[:] = [safe(name) for name in node.input]
        node.output[:] = [safe(name) for name in node.output]
        node.name = f"{node.op_type}_{number}"
    del graph.value_info[:]
    return model


def _rename_captured(node: onnx.NodeProto, safe: object) -> None:
    """Subgraphs (If, Loop) capture outer names, so a graph with one keeps them: refuse instead of breaking it."""
    if any(attribute.type in (onnx.AttributeProto.GRAPH, onnx.AttributeProto.GRAPHS) for attribute in node.attribute):
        raise NotImplementedError(f"operator {node.op_type} at node {node.name}: control-flow bodies are not supported")
