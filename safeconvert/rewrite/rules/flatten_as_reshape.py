"""Write Flatten behind a free batch as Reshape."""

from __future__ import annotations

import math

import numpy as np
import onnx
from onnx import helper, numpy_helper

from safeconvert.graph.shapes import inferred_shapes


def rewrite(model: onnx.ModelProto, reads: frozenset[str]) -> onnx.ModelProto:
    """Write Flatten over axis 1 of a tensor with known sizes behind the batch as Reshape to (-1, K).

    onnx2tf 1.29 flattens the whole batch into one row where it is free ("Matrix size-incompatible" at the next MatMul).
    """
    shapes = inferred_shapes(model)
    for number, node in enumerate(model.graph.node):
        axis = next((a.i for a in node.attribute if a.name == "axis"), 1)
        shape = shapes.get(node.input[0]) if node.input else None
        rest = [size for size in (shape or ())[1:] if size is not None]
        if node.op_type != "Flatten" or axis != 1 or shape is None or len(rest) < len(shape) - 1:
            continue
        name = f"{node.output[0]}_flat_shape_{number}"
        sizes = np.array([-1, math.prod(rest)], dtype=np.int64)
        model.graph.initializer.append(numpy_helper.from_array(sizes, name))
        node.CopyFrom(helper.make_node("Reshape", [node.input[0], name], list(node.output), node.name))
    return model
