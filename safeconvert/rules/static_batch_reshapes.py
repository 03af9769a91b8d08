"""Give reshapes that only carry the batch along a constant shape."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import numpy_helper

from safeconvert.graph.fold import drop_unused
from safeconvert.graph.sizes import origin, symbolic_sizes


def rewrite(model: onnx.ModelProto, reads: frozenset[str]) -> onnx.ModelProto:
    """Rewrite `Reshape(x, sizes computed from shapes)` as `Reshape(x, [0, constants])` where the first is x's own batch.

    Exporters say `x.view(x.size(0), -1)` as Shape → Gather → Unsqueeze → Concat, and Keras' Flatten comes out of TFLite as
    Shape → Gather → Cast → Slice → Concat → Cast; in a Reshape's shape a 0 means "as in the input" (ONNX Reshape,
    allowzero=0), so that the chain is not needed.
    """
    graph = model.graph
    sizes = symbolic_sizes(model)
    constants = {tensor.name for tensor in graph.initializer}
    makers = {output: node for node in graph.node for output in node.output}
    for node in graph.node:
        if node.op_type != "Reshape" or node.input[1] in constants:
            continue
        wanted = sizes.get(node.input[1])
        if not wanted or wanted[0] != origin(node.input[0], 0, makers):
            continue
        rest = [size for size in wanted[1:] if isinstance(size, int)]
        if len(rest) != len(wanted) - 1 or 0 in rest:
            continue
        name = f"{node.output[0]}_shape"
        graph.initializer.append(numpy_helper.from_array(np.array([0, *rest], dtype=np.int64), name))
        node.input[1] = name
    return drop_unused(model)
