"""Sum, Max and Min of two operands each."""

from __future__ import annotations

import onnx
from onnx import helper

from safeconvert.graph.nodes import Graph, rewritten


def rewrite(model: onnx.ModelProto, reads: frozenset[str]) -> onnx.ModelProto:
    """Write Sum, Max and Min of more than two operands as several of two, and of one as Identity.

    onnx2keras 0.0.25 refuses a Sum of any other number than two, and a Max or Min of one.
    """
    return rewritten(model, ("Sum", "Max", "Min"), _pairs)


def _pairs(node: onnx.NodeProto, graph: Graph) -> list[onnx.NodeProto] | None:
    if len(node.input) == 2:
        return None
    name = node.output[0]
    if len(node.input) == 1:
        return [helper.make_node("Identity", list(node.input), [name], node.name)]
    made, current = [], node.input[0]
    for number, operand in enumerate(node.input[1:], start=2):
        result = name if number == len(node.input) else f"{name}_{number}"
        made.append(helper.make_node(node.op_type, [current, operand], [result], result))
        current = result
    return made
