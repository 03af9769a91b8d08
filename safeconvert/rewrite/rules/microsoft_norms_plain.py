"""ONNX Runtime's layer norms with a sum in front, and those without a mean, in ONNX' own operators."""

from __future__ import annotations

import onnx

from safeconvert.graph.chain import Chain, without_domain
from safeconvert.graph.nodes import Graph, explicit_attributes, rewritten

_DOMAIN = "com.microsoft"
_SKIPS = ("SkipLayerNormalization", "SkipSimplifiedLayerNormalization")


def rewrite(model: onnx.ModelProto, reads: frozenset[str]) -> onnx.ModelProto:
    """Write `SkipLayerNormalization` and `SkipSimplifiedLayerNormalization` (com.microsoft, opset 1), and `SimplifiedLayerNormalization`, which
    ONNX Runtime has in ONNX' own domain, as they are defined.

    The sum of input, skip and bias, less its mean unless simplified, divided by the root of the mean square plus epsilon (1e-12 with a
    skip, 1e-5 without), times gamma, plus beta; the sum itself is the fourth output. onnx2torch 1.5.15, onnx2keras 0.0.25 and the
    last resorts know ONNX' own operators only.
    """
    model = rewritten(model, _SKIPS, _plain, (_DOMAIN,))
    return without_domain(
        rewritten(model, ("SimplifiedLayerNormalization",), _plain, ("", "ai.onnx", _DOMAIN)), _DOMAIN
    )


def _plain(node: onnx.NodeProto, graph: Graph) -> list[onnx.NodeProto] | None:
    given = explicit_attributes(node)
    skips, simplified = node.op_type in _SKIPS, "Simplified" in node.op_type
    wanted = {number for number, name in enumerate(node.output) if name}
    if wanted - ({0, 3} if skips else {0}) or given.get("axis", -1) != -1:
        return None
    inputs = [*node.input, "", "", "", ""]
    gamma, rest = (inputs[2], inputs[3:5]) if skips else (inputs[1], ["", ""])
    beta, bias = ("", rest[0]) if simplified else rest
    chain = Chain(node, graph)
    x = inputs[0]
    if skips:
        whole = node.output[3] if 3 in wanted else ""
        x = chain.add("Add", x, inputs[1], to="" if bias else whole)
        x = chain.add("Add", x, bias, to=whole) if bias else x
    epsilon = given.get("epsilon", 1e-12 if skips else 1e-5)
    if not simplified:
        x = chain.add("Sub", x, chain.reduced("ReduceMean", x, -1))
    square = chain.reduced("ReduceMean", chain.add("Mul", x, x), -1)
    root = chain.add("Sqrt", chain.add("Add", square, chain.scalar(epsilon, gamma)))
    scaled = chain.add("Mul", chain.add("Div", x, root), gamma, to="" if beta else node.output[0])
    if beta:
        chain.add("Add", scaled, beta, to=node.output[0])
    return chain.nodes
