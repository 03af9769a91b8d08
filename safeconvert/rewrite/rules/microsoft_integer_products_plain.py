"""ONNX Runtime's products of quantised matrices as MatMulInteger and the factor."""

from __future__ import annotations

import onnx

from safeconvert.graph.chain import Chain, without_domain
from safeconvert.graph.nodes import Graph, explicit_attributes, rewritten

_DOMAIN = "com.microsoft"


def rewrite(model: onnx.ModelProto, reads: frozenset[str]) -> onnx.ModelProto:
    """Write `DynamicQuantizeMatMul`, `MatMulIntegerToFloat` and `QGemm` (com.microsoft, opset 1) in ONNX' own operators.

    The product of integers is exact (MatMulInteger), and counts the product of both scales; DynamicQuantizeMatMul quantises its first
    operand as DynamicQuantizeLinear does. The bias of a QGemm is one of integers of the same scale. onnx2torch 1.5.15, onnx2keras 0.0.25
    and the last resorts know ONNX' own operators only.
    """
    return without_domain(rewritten(model, tuple(_WRITE), _plain, (_DOMAIN,)), _DOMAIN)


def _plain(node: onnx.NodeProto, graph: Graph) -> list[onnx.NodeProto] | None:
    chain = Chain(node, graph)
    return chain.nodes if _WRITE[node.op_type](node, chain) else None


def _scaled(chain: Chain, whole: str, scales: tuple[str, str], bias: str, to: str) -> bool:
    real = chain.cast(whole, onnx.TensorProto.FLOAT)
    made = chain.add("Mul", real, chain.add("Mul", *scales), to="" if bias else to)
    if bias:
        chain.add("Add", made, bias, to=to)
    return True


def _dynamic(node: onnx.NodeProto, chain: Chain) -> bool:
    x, weight, scale, zero, bias = [*node.input, "", ""][:5]
    quantized, own, own_zero = (f"{node.output[0]}__{name}" for name in ("quantized", "scale", "zero"))
    first = onnx.helper.make_node(
        "DynamicQuantizeLinear", [x], [quantized, own, own_zero], f"{node.output[0]}__quantize"
    )
    chain.nodes.append(first)
    whole = chain.add("MatMulInteger", quantized, weight, own_zero, *([zero] if zero else []))
    return _scaled(chain, whole, (own, scale), bias, node.output[0])


def _to_float(node: onnx.NodeProto, chain: Chain) -> bool:
    x, weight, scale, other, zero, other_zero, bias = [*node.input, "", "", ""][:7]
    zeros = [zero, other_zero] if other_zero else [zero] if zero else []
    whole = chain.add("MatMulInteger", x, weight, *zeros)
    return _scaled(chain, whole, (scale, other), bias, node.output[0])


def _gemm(node: onnx.NodeProto, chain: Chain) -> bool:
    given = explicit_attributes(node)
    x, scale, zero, weight, other, other_zero, bias, step, step_zero = [*node.input, "", "", ""][:9]
    x = chain.add("Transpose", x, perm=[1, 0]) if given.get("transA", 0) else x
    weight = chain.add("Transpose", weight, perm=[1, 0]) if given.get("transB", 0) else weight
    whole = chain.add("MatMulInteger", x, weight, zero, other_zero)
    whole = chain.add("Add", whole, bias) if bias else whole
    factor = chain.add("Mul", scale, other)
    if given.get("alpha", 1.0) != 1.0:
        factor = chain.add("Mul", factor, chain.scalar(given["alpha"], scale))
    real = chain.cast(whole, onnx.TensorProto.FLOAT)
    made = chain.add("Mul", real, factor, to="" if step else node.output[0])
    if step:
        chain.add("QuantizeLinear", made, step, *([step_zero] if step_zero else []), to=node.output[0])
    return True


_WRITE = {"DynamicQuantizeMatMul": _dynamic, "MatMulIntegerToFloat": _to_float, "QGemm": _gemm}
