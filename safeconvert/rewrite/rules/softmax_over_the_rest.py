"""Softmax of operator sets before 13."""

from __future__ import annotations

import onnx
from onnx import helper

from safeconvert.graph.nodes import Graph, explicit_attributes, rewritten


def rewrite(model: onnx.ModelProto, reads: frozenset[str]) -> onnx.ModelProto:
    """Write Softmax-1 and -11 over an axis that is not the last as exponentials divided by their sum over all axes from there.

    Before set 13 the axis is where the tensor is flattened, so that Softmax over axis 1 of (N,C,H,W) is one over C·H·W.
    onnx2keras 0.0.25 takes it for one over C.
    """
    return rewritten(model, ("Softmax",), _flat) if _before_13(model) else model


def _before_13(model: onnx.ModelProto) -> bool:
    return any(entry.version < 13 for entry in model.opset_import if entry.domain in ("", "ai.onnx"))


def _flat(node: onnx.NodeProto, graph: Graph) -> list[onnx.NodeProto] | None:
    rank = len(graph.shapes.get(node.input[0], ()))
    axis = explicit_attributes(node).get("axis", 1)
    axis += rank if axis < 0 else 0
    if rank == 0 or axis == rank - 1:
        return None
    axes = list(range(axis, rank))
    name, data = node.output[0], node.input[0]
    return [
        helper.make_node("ReduceMax", [data], [f"{name}_largest"], f"{name}_largest", axes=axes, keepdims=1),
        helper.make_node("Sub", [data, f"{name}_largest"], [f"{name}_below"], f"{name}_below"),
        helper.make_node("Exp", [f"{name}_below"], [f"{name}_exp"], f"{name}_exp"),
        helper.make_node("ReduceSum", [f"{name}_exp"], [f"{name}_sum"], f"{name}_sum", axes=axes, keepdims=1),
        helper.make_node("Div", [f"{name}_exp", f"{name}_sum"], [name], node.name),
    ]
