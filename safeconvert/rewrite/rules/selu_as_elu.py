"""Selu with parameters of its own."""

from __future__ import annotations

import onnx
from onnx import helper

from safeconvert.graph.nodes import Graph, explicit_attributes, rewritten

_ALPHA, _GAMMA = 1.6732632, 1.0507010


def rewrite(model: onnx.ModelProto, reads: frozenset[str]) -> onnx.ModelProto:
    """Write Selu with an `alpha` or `gamma` of its own as gamma · Elu(x, alpha).

    onnx2keras 0.0.25 ignores both and takes the usual ones.
    """
    return rewritten(model, ("Selu",), _scaled)


def _scaled(node: onnx.NodeProto, graph: Graph) -> list[onnx.NodeProto] | None:
    attributes = explicit_attributes(node)
    alpha, gamma = attributes.get("alpha", _ALPHA), attributes.get("gamma", _GAMMA)
    if abs(alpha - _ALPHA) < 1e-6 and abs(gamma - _GAMMA) < 1e-6:
        return None
    name, data = node.output[0], node.input[0]
    factor = graph.scalar(f"{name}_gamma", gamma, data)
    return [helper.make_node("Elu", [data], [f"{name}_elu"], f"{name}_elu", alpha=alpha),
            helper.make_node("Mul", [f"{name}_elu", factor], [name], node.name)]  # fmt: skip
