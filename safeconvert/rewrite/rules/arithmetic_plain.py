"""Elementwise operators in terms of fewer."""

from __future__ import annotations

import onnx
from onnx import helper

from safeconvert.graph.nodes import Graph, rewritten

_KINDS = ("Neg", "Abs", "Reciprocal", "Ceil")


def rewrite(model: onnx.ModelProto, reads: frozenset[str]) -> onnx.ModelProto:
    """Write Neg, Abs, Reciprocal and Ceil by Mul, Max, Div and Floor where the converter does not read them.

    onnx2keras 0.0.25 dies with KeyError on each.
    """
    return rewritten(model, [kind for kind in _KINDS if reads and kind not in reads], _plain)


def _plain(node: onnx.NodeProto, graph: Graph) -> list[onnx.NodeProto] | None:
    name, data = node.output[0], node.input[0]
    if graph.kinds.get(data) not in (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16, onnx.TensorProto.DOUBLE):
        return None
    if node.op_type == "Reciprocal":
        return [helper.make_node("Div", [graph.scalar(f"{name}_one", 1, data), data], [name], node.name)]
    minus = graph.scalar(f"{name}_minus", -1, data)
    if node.op_type == "Neg":
        return [helper.make_node("Mul", [data, minus], [name], node.name)]
    negated = helper.make_node("Mul", [data, minus], [f"{name}_negated"], f"{name}_negated")
    if node.op_type == "Abs":
        return [negated, helper.make_node("Max", [data, f"{name}_negated"], [name], node.name)]
    return [
        negated,
        helper.make_node("Floor", [f"{name}_negated"], [f"{name}_floor"], f"{name}_floor"),
        helper.make_node("Mul", [f"{name}_floor", minus], [name], node.name),
    ]
