"""ONNX Runtime's product of transposed and scaled matrices in ONNX' own operators."""

from __future__ import annotations

import onnx

from safeconvert.graph.chain import Chain, without_domain
from safeconvert.graph.nodes import Graph, explicit_attributes, rewritten

_DOMAIN = "com.microsoft"


def rewrite(model: onnx.ModelProto, reads: frozenset[str]) -> onnx.ModelProto:
    """Write `FusedMatMul` and `TransposeMatMul` (com.microsoft, opset 1) as Transpose of the last two axes, MatMul, and the factor.

    A product whose batches are transposed, or of an operand of unknown rank that is transposed, stays. onnx2torch 1.5.15, onnx2keras
    0.0.25 and the last resorts know ONNX' own operators only.
    """
    return without_domain(rewritten(model, ("FusedMatMul", "TransposeMatMul"), _plain, (_DOMAIN,)), _DOMAIN)


def _plain(node: onnx.NodeProto, graph: Graph) -> list[onnx.NodeProto] | None:
    given = explicit_attributes(node)
    if given.get("transBatchA", 0) or given.get("transBatchB", 0):
        return None
    chain = Chain(node, graph)
    operands = []
    for name, side in zip(node.input, ("transA", "transB"), strict=True):
        rank = len(graph.shapes.get(name, ()))
        if given.get(side, 0) and rank < 2:
            return None
        order = [*range(rank - 2), rank - 1, rank - 2]
        operands.append(chain.add("Transpose", name, perm=order) if given.get(side, 0) else name)
    alpha = given.get("alpha", 1.0)
    made = chain.add("MatMul", *operands, to=node.output[0] if alpha == 1 else "")
    if alpha != 1:
        chain.add("Mul", made, chain.scalar(alpha, node.input[0]), to=node.output[0])
    return chain.nodes
