"""Squeeze and Unsqueeze of one axis each."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper

from safeconvert.graph.nodes import Graph, rewritten


def rewrite(model: onnx.ModelProto, reads: frozenset[str]) -> onnx.ModelProto:
    """Say a Squeeze or Unsqueeze of several axes as several, the axes counted from the front.

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
    given = [place for place, size in enumerate(shape) if size == 1] if axes is None else axes.tolist()
    places = sorted((place % rank for place in given), reverse=squeezes)
    if axes is not None and places == given and len(places) == 1:
        return None
    if not places:
        return None
    made, current = [], node.input[0]
    for number, place in enumerate(places):
        last = number == len(places) - 1
        name = node.output[0] if last else f"{node.output[0]}_without{place}"
        along = graph.constant(f"{node.output[0]}_axis{number}", np.array([place], np.int64))
        made.append(helper.make_node(node.op_type, [current, along], [name], f"{node.output[0]}_{number}"))
        current = name
    return made
