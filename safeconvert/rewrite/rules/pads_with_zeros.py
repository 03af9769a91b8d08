"""Padding with another number than zero."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper

from safeconvert.graph.nodes import Graph, explicit_attributes, rewritten

_LARGEST = 1e3
"""Beyond it, taking the number off and adding it again costs the digits of what is padded."""


def rewrite(model: onnx.ModelProto, reads: frozenset[str]) -> onnx.ModelProto:
    """Write Pad with a constant v as v + Pad with zeros of (x - v).

    onnx2keras 0.0.25 refuses every other constant than zero.
    """
    return rewritten(model, ("Pad",), _shifted)


def _shifted(node: onnx.NodeProto, graph: Graph) -> list[onnx.NodeProto] | None:
    fill = graph.values.get(node.input[2]) if len(node.input) > 2 and node.input[2] else None
    usual = explicit_attributes(node).get("mode", "constant") == "constant" and len(node.input) == 3
    if fill is None or not usual or fill.size != 1 or fill.dtype.kind != "f":
        return None
    value = float(np.asarray(fill).reshape(-1)[0])
    if value == 0 or not abs(value) <= _LARGEST:
        return None
    name, data = node.output[0], node.input[0]
    constant = graph.scalar(f"{name}_fill", value, data)
    return [
        helper.make_node("Sub", [data, constant], [f"{name}_less"], f"{name}_less"),
        helper.make_node("Pad", [f"{name}_less", node.input[1]], [f"{name}_pad"], f"{name}_pad", mode="constant"),
        helper.make_node("Add", [f"{name}_pad", constant], [name], node.name),
    ]
