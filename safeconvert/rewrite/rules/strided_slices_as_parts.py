"""Slices with steps as the parts that they take."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper

from safeconvert.graph.nodes import Graph, rewritten

_MOST = 64
"""Parts that a slice is written in; a longer one stays as it is."""


def rewrite(model: onnx.ModelProto, reads: frozenset[str]) -> onnx.ModelProto:
    """Write a constant Slice with a step other than 1 as a Slice for each index that it takes, and a Concat.

    onnx2keras 0.0.25 ignores the steps of a Slice. Only slices along one axis of known size are taken.
    """
    return rewritten(model, ("Slice",), _parts)


def _parts(node: onnx.NodeProto, graph: Graph) -> list[onnx.NodeProto] | None:
    if len(node.input) < 5 or not node.input[3] or not node.input[4]:
        return None
    given = [graph.values.get(name) for name in node.input[1:5]]
    shape = graph.shapes.get(node.input[0], ())
    if any(value is None or value.size != 1 for value in given) or not shape or node.input[0] in graph.values:
        return None
    start, end, axis, step = (int(np.asarray(value).reshape(-1)[0]) for value in given)
    axis += len(shape) if axis < 0 else 0
    size = shape[axis]
    if step == 1 or size is None:
        return None
    indices = list(range(*slice(start, end if end > -(2**31) else None, step).indices(size)))
    if not 1 <= len(indices) <= _MOST:
        return None
    name, made, parts = node.output[0], [], []
    for number, index in enumerate(indices):
        part = f"{name}_part{number}" if len(indices) > 1 else name
        limits = [
            graph.constant(f"{name}_{what}{number}", np.array([value], np.int64))
            for what, value in (("from", index), ("to", index + 1), ("along", axis))
        ]
        made.append(helper.make_node("Slice", [node.input[0], *limits], [part], f"{name}_slice{number}"))
        parts.append(part)
    if len(parts) > 1:
        made.append(helper.make_node("Concat", parts, [name], node.name, axis=axis))
    return made
