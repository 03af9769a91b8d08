"""ONNX Runtime's forms of Gelu in ONNX' own operators."""

from __future__ import annotations

import math

import onnx

from safeconvert.graph.chain import Chain, without_domain
from safeconvert.graph.nodes import Graph, explicit_attributes, rewritten

_DOMAIN = "com.microsoft"


def rewrite(model: onnx.ModelProto, reads: frozenset[str]) -> onnx.ModelProto:
    """Write `Gelu`, `BiasGelu`, `FastGelu` and `QuickGelu` (com.microsoft, opset 1) as they are defined.

    x / 2 · (1 + erf(x / √2)); the same of x plus a bias; x / 2 · (1 + tanh(√(2/π) (x + 0.044715 x³))), of x plus a bias where there is one;
    x · sigmoid(α x). onnx2torch 1.5.15, onnx2keras 0.0.25 and the last resorts know ONNX' own operators only.
    """
    kinds = ("Gelu", "BiasGelu", "FastGelu", "QuickGelu")
    return without_domain(rewritten(model, kinds, _plain, (_DOMAIN,)), _DOMAIN)


def _plain(node: onnx.NodeProto, graph: Graph) -> list[onnx.NodeProto] | None:
    chain = Chain(node, graph)
    given = [name for name in node.input if name]
    x, like = given[0], given[-1]
    if len(given) > 1:
        x = chain.add("Add", *given)
    if node.op_type == "QuickGelu":
        alpha = explicit_attributes(node).get("alpha", 1.702)
        gate = chain.add("Sigmoid", chain.add("Mul", x, chain.scalar(alpha, like)))
        chain.add("Mul", x, gate, to=node.output[0])
        return chain.nodes
    if node.op_type == "FastGelu":
        cube = chain.add("Mul", chain.add("Mul", x, x), x)
        inner = chain.add("Add", x, chain.add("Mul", cube, chain.scalar(0.044715, like)))
        gate = chain.add("Tanh", chain.add("Mul", inner, chain.scalar(math.sqrt(2 / math.pi), like)))
    else:
        gate = chain.add("Erf", chain.add("Div", x, chain.scalar(math.sqrt(2), like)))
    whole = chain.add("Mul", x, chain.add("Add", gate, chain.scalar(1, like)))
    chain.add("Mul", whole, chain.scalar(0.5, like), to=node.output[0])
    return chain.nodes
