"""Images of one pixel spread out."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper

from safeconvert.graph.nodes import Graph, rewritten


def rewrite(model: onnx.ModelProto, reads: frozenset[str]) -> onnx.ModelProto:
    """Write Expand of (N,C,1,1) to a constant image size as a Resize to the nearest.

    onnx2keras 0.0.25 repeats channels and height, and neither width nor, when channels go last, the right axes.
    """
    return rewritten(model, ("Expand",), _resized)


def _resized(node: onnx.NodeProto, graph: Graph) -> list[onnx.NodeProto] | None:
    shape, wanted = graph.shapes.get(node.input[0], ()), graph.values.get(node.input[1])
    if len(shape) != 4 or shape[2:] != (1, 1) or wanted is None or wanted.shape != (4,):
        return None
    if any(size != 1 and size != own for size, own in zip(wanted[:2].tolist(), shape[:2], strict=True)):
        return None
    scales = graph.constant(f"{node.output[0]}_scales", np.array([1, 1, *wanted[2:]], np.float32))
    how = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    return [helper.make_node("Resize", [node.input[0], "", scales], list(node.output), node.name, **how)]
