"""Write slices with steps along the image axes as pooling."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper

from safeconvert.graph.constants import Constants
from safeconvert.graph.shapes import inferred_shapes


def rewrite(model: onnx.ModelProto, reads: frozenset[str]) -> onnx.ModelProto:
    """Write a slice with steps along the two image axes as a MaxPool with a 1×1 window.

    onnx2keras 0.0.25 ignores the steps of a Slice. Only `start 0, to the end` slices of rank-4 tensors are taken; two in
    a row, one an axis, each become a pool.
    """
    graph = model.graph
    values = Constants(graph)
    shapes = inferred_shapes(model)
    for node in graph.node:
        if node.op_type != "Slice" or len(node.input) < 5 or len(shapes.get(node.input[0], ())) != 4:
            continue
        arguments = [values.get(name) for name in node.input[1:5]]
        if any(argument is None for argument in arguments):
            continue
        starts, ends, axes, steps = (np.asarray(argument).tolist() for argument in arguments)
        size = shapes[node.input[0]]
        whole = all(
            start == 0 and axis in (2, 3) and step > 0 and size[axis] is not None and end >= (size[axis] or 0)
            for start, end, axis, step in zip(starts, ends, axes, steps, strict=True)
        )
        if whole and any(step > 1 for step in steps):
            strides = [dict(zip(axes, steps, strict=True)).get(axis, 1) for axis in (2, 3)]
            pool = helper.make_node(
                "MaxPool", [node.input[0]], list(node.output), node.name,
                kernel_shape=[1, 1], strides=strides, pads=[0, 0, 0, 0], ceil_mode=0,
            )  # fmt: skip
            node.CopyFrom(pool)
    return model
