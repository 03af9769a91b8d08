"""Padding with what is there already."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper

from safeconvert.graph.nodes import Graph, explicit_attributes, rewritten

_MOST = 32
"""Rows and columns that a padding is written in; a wider one stays as it is."""


def rewrite(model: onnx.ModelProto, reads: frozenset[str]) -> onnx.ModelProto:
    """Write Pad with `reflect` or `edge` as Slices of single rows and columns, and a Concat an axis.

    onnx2keras 0.0.25 pads channels and height when channels go last, and converts `edge` to TensorFlow's SYMMETRIC, which is the
    same for one row only.
    """
    return rewritten(model, ("Pad",), _parts)


def _parts(node: onnx.NodeProto, graph: Graph) -> list[onnx.NodeProto] | None:
    mode, shape = explicit_attributes(node).get("mode", "constant"), graph.shapes.get(node.input[0], ())
    pads = graph.values.get(node.input[1]) if len(node.input) > 1 else None
    whole = mode in ("reflect", "edge") and not (len(node.input) > 3 and node.input[3])
    if pads is None or not whole or pads.size != 2 * len(shape) or (pads < 0).any() or not 0 < pads.sum() <= _MOST:
        return None
    rank = len(shape)
    padded = [axis for axis in range(rank) if pads[axis] or pads[axis + rank]]
    if any(shape[axis] is None for axis in padded):
        return None
    made: list[onnx.NodeProto] = []
    current = node.input[0]
    for axis in padded:
        front, back, size = int(pads[axis]), int(pads[axis + rank]), int(shape[axis] or 0)
        before = [index if mode == "reflect" else 0 for index in range(front, 0, -1)]
        after = [size - 2 - index if mode == "reflect" else size - 1 for index in range(back)]
        names = {}
        for index in sorted({*before, *after}):
            names[index] = f"{node.output[0]}_axis{axis}_at{index}"
            limits = [
                graph.constant(f"{names[index]}_{what}", np.array([value], np.int64))
                for what, value in (("from", index), ("to", index + 1), ("along", axis))
            ]
            made.append(helper.make_node("Slice", [current, *limits], [names[index]], names[index]))
        result = node.output[0] if axis == padded[-1] else f"{node.output[0]}_axis{axis}"
        inputs = [*(names[index] for index in before), current, *(names[index] for index in after)]
        made.append(helper.make_node("Concat", inputs, [result], result, axis=axis))
        current = result
    return made
