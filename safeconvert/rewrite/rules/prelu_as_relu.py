"""PRelu by its halves."""

from __future__ import annotations

import onnx
from onnx import helper

from safeconvert.graph.nodes import Graph, rewritten


def rewrite(model: onnx.ModelProto, reads: frozenset[str]) -> onnx.ModelProto:
    """Write PRelu as Relu(x) - slope · Relu(-x), but where the slope is one number a channel of an image, or one altogether.

    onnx2torch 1.5.15 takes a slope of as many numbers as there are channels for one of the channels, whichever axis it
    broadcasts along; onnx2keras 0.0.25 shares every slope over axes 2 and 3.
    """
    return rewritten(model, ("PRelu",), _halves)


def _halves(node: onnx.NodeProto, graph: Graph) -> list[onnx.NodeProto] | None:
    data, slope = node.input
    shape, given = graph.shapes.get(data, ()), graph.shapes.get(slope, ())
    usual = slope in graph.values and len(shape) == 4 and len(given) >= 3 and given[-3:] == (shape[1], 1, 1)
    if usual or graph.kinds.get(data) not in (onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE):
        return None
    name = node.output[0]
    minus = graph.scalar(f"{name}_minus", -1, data)
    return [
        helper.make_node("Relu", [data], [f"{name}_above"], f"{name}_above"),
        helper.make_node("Mul", [data, minus], [f"{name}_negated"], f"{name}_negated"),
        helper.make_node("Relu", [f"{name}_negated"], [f"{name}_under"], f"{name}_under"),
        helper.make_node("Mul", [f"{name}_under", slope], [f"{name}_below"], f"{name}_below"),
        helper.make_node("Sub", [f"{name}_above", f"{name}_below"], [name], node.name),
    ]
