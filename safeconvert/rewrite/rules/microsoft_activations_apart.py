"""ONNX Runtime's convolutions and products with an activation in them, as the two."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import onnx

from safeconvert.graph.chain import Chain, without_domain
from safeconvert.graph.nodes import Graph, explicit_attributes, rewritten

_DOMAIN = "com.microsoft"
_Act = Callable[[Chain, str, str, list[float]], str]


def rewrite(model: onnx.ModelProto, reads: frozenset[str]) -> onnx.ModelProto:
    """Write `FusedConv` (com.microsoft, opset 1) as Conv, the sum with its fourth input, and the activation; `FusedGemm` as Gemm and that.

    Models that ONNX Runtime saved after its optimizations hold both. onnx2torch 1.5.15, onnx2keras 0.0.25 and the last resorts know
    ONNX' own operators only.
    """
    return without_domain(rewritten(model, ("FusedConv", "FusedGemm"), _apart, (_DOMAIN,)), _DOMAIN)


def _apart(node: onnx.NodeProto, graph: Graph) -> list[onnx.NodeProto] | None:
    given = explicit_attributes(node)
    fused = node.op_type == "FusedConv"
    name = str(given.pop("activation", ""))
    if fused:
        parameters = list(given.pop("activation_params", []))
    else:
        named = [given.pop(f"activation_{which}", None) for which in ("alpha", "beta", "gamma")]
        parameters = [value for value in named if value is not None]
    if name and name not in _ACTIVATIONS:
        return None
    chain = Chain(node, graph)
    inputs = list(node.input)
    beside = inputs.pop(3) if fused and len(inputs) > 3 else ""
    made = chain.add("Conv" if fused else "Gemm", *inputs, to="" if beside or name else node.output[0], **given)
    if beside:
        made = chain.add("Add", made, beside, to="" if name else node.output[0])
    if name:
        _ACTIVATIONS[name](chain, made, node.output[0], parameters)
    return chain.nodes


def _plain(kind: str, *names: str) -> _Act:
    def add(chain: Chain, x: str, to: str, parameters: list[float]) -> str:
        return chain.add(kind, x, to=to, **dict(zip(names, parameters, strict=False)))

    return add


def _clip(chain: Chain, x: str, to: str, parameters: list[float]) -> str:
    return chain.add("Clip", x, *(chain.scalar(value, x) for value in parameters), to=to)


_ACTIVATIONS: Mapping[str, _Act] = {
    "Relu": _plain("Relu"), "Tanh": _plain("Tanh"), "Sigmoid": _plain("Sigmoid"), "LeakyRelu": _plain("LeakyRelu", "alpha"),
    "HardSigmoid": _plain("HardSigmoid", "alpha", "beta"), "Clip": _clip,
}  # fmt: skip
