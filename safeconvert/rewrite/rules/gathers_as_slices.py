"""Write Gather with constant indices as Slice, which converters read."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper, numpy_helper

from safeconvert.graph.constants import Constants
from safeconvert.graph.fold import drop_unused, replace_nodes

_MOST = 16
"""Indices that are written as a Slice each; a longer list is a table look-up, which converters know."""


def rewrite(model: onnx.ModelProto, reads: frozenset[str]) -> onnx.ModelProto:
    """Write `Gather(x, constant indices)` of a computed x as Slices, and Gather then Unsqueeze as one Slice.

    onnx2keras 0.0.25 takes Gather for a look-up in a constant table ("Can't gather from tf tensor"). Seen in torchvision's
    InceptionV3 with its input transform.
    """
    graph = model.graph
    values = Constants(graph)
    readers: dict[str, list[onnx.NodeProto]] = {}
    for node in graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    outputs = {value.name for value in graph.output}
    nodes: list[onnx.NodeProto] = []
    renamed: dict[str, str] = {}
    for node in graph.node:
        node.input[:] = [renamed.get(name, name) for name in node.input]
        indices = values.get(node.input[1]) if node.op_type == "Gather" else None
        if indices is None or node.input[0] in values or indices.ndim > 1 or indices.size > _MOST:
            nodes.append(node)
            continue
        if (indices < 0).any():
            nodes.append(node)
            continue
        axis = next((a.i for a in node.attribute if a.name == "axis"), 0)
        made = node.output[0]
        parts = []
        for position, index in enumerate(np.atleast_1d(indices)):
            parts.append(f"{made}/slice{position}")
            bounds = [f"{parts[-1]}/{bound}" for bound in ("start", "end", "axis")]
            for bound, number in zip(bounds, (index, index + 1, axis), strict=True):
                graph.initializer.append(numpy_helper.from_array(np.array([number], np.int64), bound))
            nodes.append(helper.make_node("Slice", [node.input[0], *bounds], [parts[-1]], parts[-1]))
        if indices.ndim == 1:
            if len(parts) == 1:
                nodes[-1].output[0] = made
            else:
                nodes.append(helper.make_node("Concat", parts, [made], node.name, axis=axis))
            continue
        behind = readers.get(made, [])
        kept = made in outputs
        for reader in behind:
            axes = values.get(reader.input[1]) if reader.op_type == "Unsqueeze" and len(reader.input) > 1 else None
            if axes is not None and axes.tolist() == [axis] and reader.output[0] not in outputs:
                renamed[reader.output[0]] = parts[0]
            else:
                kept = True
        if kept:
            graph.initializer.append(numpy_helper.from_array(np.array([axis], np.int64), f"{made}/axes"))
            nodes.append(helper.make_node("Squeeze", [parts[0], f"{made}/axes"], [made], node.name))
    replace_nodes(graph, [node for node in nodes if not set(node.output) <= renamed.keys()])
    return drop_unused(model)
