"""Give reshapes that only carry the batch along a constant shape."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import numpy_helper

from safeconvert.graph.fold import drop_unused
from safeconvert.graph.shapes import inferred
from safeconvert.graph.sizes import SIZE_OPERATORS, origin, symbolic_sizes

_ROUNDS = 100
"""Of the deepest known chain (ShuffleNet, a channel shuffle a block) there are 16."""


def rewrite(model: onnx.ModelProto, reads: frozenset[str]) -> onnx.ModelProto:
    """Rewrite `Reshape(x, sizes computed from shapes)` as `Reshape(x, [0, constants])` where the first is x's own batch.

    Exporters write `x.view(x.size(0), -1)` as Shape → Gather → Unsqueeze → Concat, and Keras' Flatten comes out of TFLite as
    Shape → Gather → Cast → Slice → Concat → Cast; in a Reshape's shape a 0 means "as in the input" (ONNX Reshape,
    allowzero=0), so that the chain is not needed.
    """
    for _ in range(_ROUNDS):
        before = len(model.graph.node)
        model = _once(model)
        if len(model.graph.node) == before:
            break
    return model


def _once(model: onnx.ModelProto) -> onnx.ModelProto:
    """One round: sizes that are numbers become constants, and what follows for further shapes is left to the next round."""
    graph = model.graph
    sizes = symbolic_sizes(model)
    kinds = {value.name: value.type for value in inferred(model).value_info}
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
    known = [name for name in makers if name in sizes and all(isinstance(size, int) for size in sizes[name])]
    for name in known:
        node = makers[name]
        value = kinds.get(name)
        if value is None or node.op_type not in SIZE_OPERATORS:
            continue
        dtype = onnx.helper.tensor_dtype_to_np_dtype(value.tensor_type.elem_type)
        array = np.array(sizes[name], dtype).reshape([] if not value.tensor_type.shape.dim else [-1])
        graph.initializer.append(numpy_helper.from_array(array, f"{name}_known"))
        for reader in graph.node:
            reader.input[:] = [f"{name}_known" if given == name else given for given in reader.input]
    return drop_unused(model)
