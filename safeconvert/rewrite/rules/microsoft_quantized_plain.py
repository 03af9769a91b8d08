"""ONNX Runtime's operators on quantised tensors as the real ones between DequantizeLinear and QuantizeLinear."""

from __future__ import annotations

from collections.abc import Mapping

import onnx

from safeconvert.graph.chain import Chain, without_domain
from safeconvert.graph.nodes import Graph, explicit_attributes, rewritten

_DOMAIN = "com.microsoft"


def rewrite(model: onnx.ModelProto, reads: frozenset[str]) -> onnx.ModelProto:
    """Write `QLinearAdd`, `QLinearMul`, `QLinearSigmoid`, `QLinearLeakyRelu`, `QLinearGlobalAveragePool`, `QLinearAveragePool`,
    `QLinearSoftmax` and `QLinearConcat` (com.microsoft, opset 1) as the operator on the real values.

    What is stored as q with a scale and a zero point z stands for scale · (q − z). onnx2torch 1.5.15, onnx2keras 0.0.25 and the last
    resorts know ONNX' own operators only.
    """
    return without_domain(rewritten(model, (*_UNARY, *_BINARY, "QLinearConcat"), _plain, (_DOMAIN,)), _DOMAIN)


def _plain(node: onnx.NodeProto, graph: Graph) -> list[onnx.NodeProto] | None:
    given = explicit_attributes(node)
    if given.pop("channels_last", 0):
        return None
    chain, inputs = Chain(node, graph), [*node.input]
    if node.op_type == "QLinearConcat":
        parts = [chain.add("DequantizeLinear", *inputs[at : at + 3]) for at in range(2, len(inputs), 3)]
        made, scale = chain.add("Concat", *parts, **given), inputs[:2]
    elif node.op_type in _BINARY:
        parts = [chain.add("DequantizeLinear", *inputs[at : at + 3]) for at in (0, 3)]
        made, scale = chain.add(_BINARY[node.op_type], *parts), inputs[6:8]
    else:
        x = chain.add("DequantizeLinear", *[name for name in inputs[:3] if name])
        given.pop("opset", None)
        made, scale = chain.add(_UNARY[node.op_type], x, **given), inputs[3:5]
    zero = [name for name in scale[1:] if name]
    chain.add("QuantizeLinear", made, scale[0], *zero, to=node.output[0])
    return chain.nodes


_UNARY: Mapping[str, str] = {
    "QLinearSigmoid": "Sigmoid", "QLinearLeakyRelu": "LeakyRelu", "QLinearGlobalAveragePool": "GlobalAveragePool",
    "QLinearAveragePool": "AveragePool", "QLinearSoftmax": "Softmax",
}  # fmt: skip
_BINARY: Mapping[str, str] = {"QLinearAdd": "Add", "QLinearMul": "Mul"}
