"""Softplus without overflow, where the converter lacks it."""

from __future__ import annotations

import onnx
from onnx import helper

from safeconvert.graph.nodes import Graph, rewritten


def rewrite(model: onnx.ModelProto, reads: frozenset[str]) -> onnx.ModelProto:
    """Write Softplus as Relu(x) + Log(1 + Exp(-|x|)) where the converter does not read it.

    onnx2keras 0.0.25 dies with KeyError. The operator's ONNX definition, Log(1 + Exp(x)), overflows for x above 88.
    """
    return rewritten(model, ("Softplus",) if reads and "Softplus" not in reads else (), _stable)


def _stable(node: onnx.NodeProto, graph: Graph) -> list[onnx.NodeProto] | None:
    name, data = node.output[0], node.input[0]
    one, minus = graph.scalar(f"{name}_one", 1, data), graph.scalar(f"{name}_minus", -1, data)

    def step(kind: str, inputs: list[str], made: str) -> onnx.NodeProto:
        return helper.make_node(kind, inputs, [made], made)

    return [
        step("Relu", [data], f"{name}_above"),
        step("Mul", [data, minus], f"{name}_negated"),
        step("Min", [data, f"{name}_negated"], f"{name}_below"),
        step("Exp", [f"{name}_below"], f"{name}_exp"),
        step("Add", [f"{name}_exp", one], f"{name}_more"),
        step("Log", [f"{name}_more"], f"{name}_log"),
        step("Add", [f"{name}_above", f"{name}_log"], name),
    ]
