"""Squeeze and Unsqueeze of one axis each."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper

from safeconvert.graph.nodes import Graph, rewritten


def rewrite(model: onnx.ModelProto, reads: frozenset[str]) -> onnx.ModelProto:
    """Write a Squeeze or Unsqueeze of several axes as several, the axes counted from the front.

    onnx2keras 0.0.25 squeezes the first of them only, and refuses to unsqueeze more than one.
    """
    return rewritten(model, ("Squeeze", "Unsqueeze"), _single)


def _single(node: onnx.NodeProto, graph: Graph) -> list[onnx.NodeProto] | None:
    axes = graph.values.get(node.input[1]) if len(node.input) > 1 else None
    shape = graph.shapes.get(node.input[0])
    if shape is None or (axes is None and (node.op_type == "Unsqueeze" or None in shape)):
        return None
    squeezes = node.op_type == "Squeeze"
    rank = len(shape) + (0 if squeezes else axes.size if axes is not None else 0)
    given = [axis for axis, size in enumerate(shape) if size == 1] if axes is None else axes.tolist()
    chosen = sorted((axis % rank for axis in given), reverse=squeezes)
    if axes is not None and chosen == given and len(chosen) == 1:
        return None
    if not chosen:
        return None
    made, current = [], node.input[0]
    for number, axis in enumerate(chosen):
        last = number == len(chosen) - 1
        name = node.output[0] if last else f"{node.output[0]}_without{axis}"
        constant_axis = graph.constant(f"{node.output[0]}_axis{number}", np.array([axis], np.int64))
        made.append(helper.make_node(node.op_type, [current, constant_axis], [name], f"{node.output[0]}_{number}"))
        current = name
    return made
