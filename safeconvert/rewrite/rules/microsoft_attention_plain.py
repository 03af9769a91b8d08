"""ONNX Runtime's attention in ONNX' own operators."""

from __future__ import annotations

import math

import numpy as np
import onnx

from safeconvert.graph.chain import Chain, without_domain
from safeconvert.graph.nodes import Graph, explicit_attributes, rewritten

_DOMAIN = "com.microsoft"
_FILL = -10000.0


def rewrite(model: onnx.ModelProto, reads: frozenset[str]) -> onnx.ModelProto:
    """Write `Attention` and `MultiHeadAttention` (com.microsoft, opset 1) as projections, products and softmax.

    Softmax(Q Kᵀ / √size + mask) V for each head, where the mask is 0 where a key counts and `mask_filter_value` (−10000) where it does not. Of
    masks those of two axes (batch and keys, 1 where a key counts) are taken, and a bias of four axes. Keys and values of the past stand before
    the new ones, and all of them are the present. One with lengths as masks, a buffer that past and present share, or of unknown projections
    stays. onnx2torch 1.5.15, onnx2keras 0.0.25 and the last resorts know ONNX' own operators only.
    """
    return without_domain(rewritten(model, ("Attention", "MultiHeadAttention"), _plain, (_DOMAIN,)), _DOMAIN)


def _plain(node: onnx.NodeProto, graph: Graph) -> list[onnx.NodeProto] | None:
    given, chain = explicit_attributes(node), Chain(node, graph)
    inputs = [*node.input, *[""] * 10]
    fused = node.op_type == "Attention"
    if any(name for name in node.output[2 if fused else 3 :]) or given.get("do_rotary", 0):
        return None
    if fused:
        parts = _projected(node, graph, chain, given)
        mask, bias, rest = inputs[3], inputs[5], tuple(inputs[6:])
        past = [chain.add("Gather", inputs[4], chain.held(np.array(at)), axis=0) for at in (0, 1) if inputs[4]]
    else:
        parts = _separate(inputs[:4], graph, chain)
        mask, bias, rest = inputs[4], inputs[5], tuple(inputs[8:])
        past = [name for name in inputs[6:8] if name]
    if parts is None or any(rest) or (mask and len(graph.shapes.get(mask, ())) != 2):
        return None
    heads, sizes = int(given["num_heads"]), [size for _, size in parts]
    cached = bool(past) or len(node.output) > 1
    query, key, value = (
        chain.add("Transpose", chain.add("Reshape", name, chain.whole([0, 0, heads, size // heads])), perm=order)
        for (name, size), order in zip(
            parts, ([0, 2, 1, 3], [0, 2, 1, 3] if cached else [0, 2, 3, 1], [0, 2, 1, 3]), strict=True
        )
    )
    if cached:
        key, value = _present(chain, node, fused, past, key, value)
        key = chain.add("Transpose", key, perm=[0, 1, 3, 2])
    scale = given.get("scale", 0.0) or 1 / math.sqrt(sizes[0] // heads)
    scores = chain.add("Mul", chain.add("MatMul", query, key), chain.scalar(scale, node.input[0]))
    fill = float(given.get("mask_filter_value", _FILL))
    if mask:
        scores = chain.add("Add", scores, _filled(chain, graph, mask, fill, node.input[0]))
    if bias:
        scores = chain.add("Add", scores, bias)
    if given.get("unidirectional", 0):
        before = (inputs[4] if fused else inputs[6]) if past else ""
        causal = _causal(node, graph, chain, fill, before)
        if causal is None:
            return None
        scores = chain.add("Add", scores, causal)
    mixed = chain.add("MatMul", chain.add("Softmax", scores, axis=-1), value)
    joined = chain.add("Transpose", mixed, perm=[0, 2, 1, 3])
    chain.add("Reshape", joined, chain.whole([0, 0, sizes[2]]), to=node.output[0])
    return chain.nodes


def _projected(
    node: onnx.NodeProto, graph: Graph, chain: Chain, given: dict[str, object]
) -> list[tuple[str, int]] | None:
    """Query, key and value of `Attention`, each with its width: the input times a part of the weights, plus a part of the bias."""
    weights = graph.values.get(node.input[1])
    bias = graph.values.get(node.input[2]) if len(node.input) > 2 and node.input[2] else None
    if (
        weights is None
        or (bias is None and len(node.input) > 2 and node.input[2])
        or given.get("past_present_share_buffer")
    ):
        return None
    sizes = [int(size) for size in given.get("qkv_hidden_sizes", [])] or [weights.shape[1] // 3] * 3  # type: ignore[attr-defined]
    ends = np.cumsum(sizes)[:-1]
    found = []
    for number, part in enumerate(np.split(weights, ends, axis=1)):
        x = chain.add("MatMul", node.input[0], chain.held(part))
        if bias is not None:
            x = chain.add("Add", x, chain.held(np.split(bias, ends)[number]))
        found.append((x, sizes[number]))
    return found


def _separate(inputs: list[str], graph: Graph, chain: Chain) -> list[tuple[str, int]] | None:
    """Query, key and value of `MultiHeadAttention`, each with its width, plus their parts of the bias."""
    widths = [graph.shapes.get(name, ())[2:] for name in inputs[:3]]
    if not all(inputs[:3]) or not all(len(width) == 1 and isinstance(width[0], int) for width in widths):
        return None
    sizes = [int(width[0] or 0) for width in widths]
    bias = graph.values.get(inputs[3]) if inputs[3] else None
    if inputs[3] and bias is None:
        return None
    parts = [None] * 3 if bias is None else np.split(bias, np.cumsum(sizes)[:-1])
    return [
        (name if part is None else chain.add("Add", name, chain.held(part)), size)
        for name, part, size in zip(inputs, parts, sizes, strict=False)
    ]


def _filled(chain: Chain, graph: Graph, mask: str, fill: float, like: str) -> str:
    """A mask of 0 and 1 over the keys as what is added to the scores."""
    kind = graph.kinds.get(like, onnx.TensorProto.FLOAT)
    there = chain.cast(chain.unsqueezed(mask, [1, 2]), kind)
    return chain.add("Mul", chain.add("Sub", chain.scalar(1, like), there), chain.scalar(fill, like))


def _present(chain: Chain, node: onnx.NodeProto, fused: bool, past: list[str], key: str, value: str) -> tuple[str, str]:
    """Keys and values, (batch, heads, length, size) each, behind those of the past; they are outputs where the node has them."""
    names = ["", ""] if fused else [*node.output[1:3], "", ""][:2]
    whole = [
        chain.add("Concat", *past[at : at + 1], own, axis=2, to=names[at])
        if past
        else chain.add("Identity", own, to=names[at])
        for at, own in enumerate((key, value))
    ]
    if fused and node.output[1:2] and node.output[1]:
        chain.add("Concat", *[chain.unsqueezed(own, [0]) for own in whole], axis=0, to=node.output[1])
    return whole[0], whole[1]


def _causal(node: onnx.NodeProto, graph: Graph, chain: Chain, fill: float, past: str) -> str | None:
    """What is added to the scores of later keys; None where a length is free."""
    length = (*graph.shapes.get(node.input[0], ()), None, None)[1]
    before = (None, None, *graph.shapes.get(past, ()))[-2] if past else 0
    if length is None or before is None:
        return None
    return chain.held(np.triu(np.full((length, before + length), fill, np.float32), 1 + before))
