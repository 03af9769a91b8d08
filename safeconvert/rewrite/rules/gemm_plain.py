"""Gemm without factors and with weights as a dense layer has them."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper

from safeconvert.graph.nodes import Graph, explicit_attributes, rewritten


def rewrite(model: onnx.ModelProto, reads: frozenset[str]) -> onnx.ModelProto:
    """Fold `alpha`, `beta` and `transB` of a Gemm with constant weights into them; give it a bias of one number an output.

    onnx2keras 0.0.25 ignores `alpha` and `beta`, and sets the bias as it is, which a Dense layer refuses where it is a scalar
    or of shape (1, n).
    """
    return rewritten(model, ("Gemm",), _plain)


def _plain(node: onnx.NodeProto, graph: Graph) -> list[onnx.NodeProto] | None:
    attributes = explicit_attributes(node)
    weights = graph.values.get(node.input[1])
    has_bias = len(node.input) > 2 and bool(node.input[2])
    bias = graph.values.get(node.input[2]) if has_bias else None
    if weights is None or attributes.get("transA", 0) or (has_bias and bias is None) or weights.dtype.kind != "f":
        return None
    alpha, beta = attributes.get("alpha", 1.0), attributes.get("beta", 1.0)
    outputs = weights.shape[0 if attributes.get("transB", 0) else 1]
    if bias is not None and bias.size not in (1, outputs):
        return None
    if alpha == 1 and beta == 1 and (bias is None or bias.shape == (outputs,)):
        return None
    turned = weights.T if attributes.get("transB", 0) else weights
    name = node.output[0]
    inputs = [node.input[0], graph.constant(f"{name}_weights", (turned * alpha).astype(weights.dtype))]
    if bias is not None:
        whole = np.broadcast_to(bias.reshape(-1), (outputs,)) * beta
        inputs.append(graph.constant(f"{name}_bias", whole.astype(bias.dtype)))
    return [helper.make_node("Gemm", inputs, list(node.output), node.name, alpha=1.0, beta=1.0, transA=0, transB=0)]
