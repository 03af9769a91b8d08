"""Which nodes of a graph a converter refuses, by what it declares: told from the graph alone, before anything is converted."""

from __future__ import annotations

from collections.abc import Collection

import onnx

_SIZES = ("Shape", "Size")


def refused(
    model: onnx.ModelProto, operators: Collection[str], constant_inputs: Collection[str]
) -> list[onnx.NodeProto]:
    """The nodes that a converter refuses; those of which no output depends, and those that compute with constants and sizes alone, do not count.

    Args:
        model: its larger weights need not be there.
        operators: that neither the converter knows nor a rewrite in front of it expresses.
        constant_inputs: `Gather:1` for one whose second input must not be computed.
    """
    graph = model.graph
    computed = {value.name for value in graph.input} - {tensor.name for tensor in graph.initializer}
    found = []
    for node in graph.node:
        given = [name in computed for name in node.input]
        if not any(given) or node.op_type in _SIZES:
            continue
        computed.update(node.output)
        fixed = any(f"{node.op_type}:{index}" in constant_inputs for index, one in enumerate(given) if one)
        if not node.domain and (node.op_type in operators or fixed):
            found.append(node)
    needed = {value.name for value in graph.output}
    kept = set()
    for node in reversed(graph.node):
        if needed.intersection(node.output):
            needed.update(node.input)
            kept.update(node.output)
    return [node for node in found if kept.intersection(node.output)]
