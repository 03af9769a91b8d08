"""ONNX Runtime's sum of embeddings with a layer norm in ONNX' own operators."""

from __future__ import annotations

import onnx

from safeconvert.graph.chain import Chain, without_domain
from safeconvert.graph.nodes import Graph, explicit_attributes, rewritten

_DOMAIN = "com.microsoft"


def rewrite(model: onnx.ModelProto, reads: frozenset[str]) -> onnx.ModelProto:
    """Write `EmbedLayerNormalization` (com.microsoft, opset 1) as rows of the tables, their sum, and the norm.

    Rows of words, positions (0, 1, … unless they are given) and segments; the third output is their sum. One whose count of a mask is read, or
    whose length is free, stays. onnx2torch 1.5.15, onnx2keras 0.0.25 and the last resorts know ONNX' own operators only.
    """
    return without_domain(rewritten(model, ("EmbedLayerNormalization",), _plain, (_DOMAIN,)), _DOMAIN)


def _plain(node: onnx.NodeProto, graph: Graph) -> list[onnx.NodeProto] | None:
    ids, segments, words, positions, kinds, gamma, beta, _, indices = [*node.input, *[""] * 9][:9]
    outputs = [*node.output, "", ""]
    length = (*graph.shapes.get(ids, ()), None, None)[1]
    if (any(outputs[1:2]) and _is_read(graph, outputs[1])) or (not indices and length is None):
        return None
    chain = Chain(node, graph)
    whole = chain.add("Gather", words, ids)
    if indices:
        whole = chain.add("Add", whole, chain.add("Gather", positions, indices))
    else:
        rows = chain.add("Gather", positions, chain.whole(list(range(length or 0))))
        whole = chain.add("Add", whole, rows)
    if segments:
        whole = chain.add("Add", whole, chain.add("Gather", kinds, segments), to=outputs[2])
    elif outputs[2]:
        chain.add("Identity", whole, to=outputs[2])
    apart = chain.add("Sub", whole, chain.reduced("ReduceMean", whole, -1))
    square = chain.reduced("ReduceMean", chain.add("Mul", apart, apart), -1)
    epsilon = chain.scalar(explicit_attributes(node).get("epsilon", 1e-12), gamma)
    root = chain.add("Sqrt", chain.add("Add", square, epsilon))
    chain.add("Add", chain.add("Mul", chain.add("Div", apart, root), gamma), beta, to=outputs[0])
    return chain.nodes


def _is_read(graph: Graph, name: str) -> bool:
    read = {one for node in graph.proto.node for one in node.input} | {value.name for value in graph.proto.output}
    return name in read
