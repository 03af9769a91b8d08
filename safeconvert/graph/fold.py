"""Evaluate what does not depend on the inputs, and give reshapes that only carry the batch along a constant shape."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.reference import ReferenceEvaluator

from safeconvert.graph.sizes import origin, symbolic_sizes

_LARGEST = 1 << 22  # elements: beyond it a folded constant would only blow the file up
_NOT_CONSTANT = {"RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike", "Multinomial", "Bernoulli"}


def fold_constants(model: onnx.ModelProto) -> onnx.ModelProto:
    """Replace every node that reads only initializers by its value.

    onnxscript's optimizer leaves ConstantOfShape and what follows it (seen in 0.7.2); converters then meet it as data.
    """
    graph = model.graph
    known = {tensor.name for tensor in graph.initializer}
    constant: list[onnx.NodeProto] = []
    kept: list[onnx.NodeProto] = []
    for node in graph.node:
        reads_known = all(name in known or not name for name in node.input)
        if reads_known and node.op_type not in _NOT_CONSTANT and not _has_body(node):
            constant.append(node)
            known.update(node.output)
        else:
            kept.append(node)
    if not constant:
        return model
    needed = {name for node in kept for name in node.input} | {value.name for value in graph.output}
    wanted = [name for node in constant for name in node.output if name in needed]
    used = {name for node in constant for name in node.input}
    subgraph = onnx.helper.make_graph(
        constant,
        "constants",
        [],
        [onnx.helper.make_empty_tensor_value_info(name) for name in wanted],
        [tensor for tensor in graph.initializer if tensor.name in used],
    )
    evaluator = ReferenceEvaluator(onnx.helper.make_model(subgraph, opset_imports=model.opset_import))
    values = dict(zip(wanted, evaluator.run(None, {}), strict=True))
    if any(np.size(value) > _LARGEST for value in values.values()):
        return model
    replace_nodes(graph, kept)
    graph.initializer.extend(numpy_helper.from_array(np.asarray(value), name) for name, value in values.items())
    return model


def static_batch_reshapes(model: onnx.ModelProto) -> onnx.ModelProto:
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


def collapse_reshapes(model: onnx.ModelProto) -> onnx.ModelProto:
    """Let a Reshape to a constant shape read past the Reshape, Squeeze, Unsqueeze or Flatten in front of it.

    All of them keep the elements in their order, and the last one says the shape (a 0 in it would mean the shape before).
    """
    graph = model.graph
    makers = {output: node for node in graph.node for output in node.output}
    values = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    for node in graph.node:
        shape = values.get(node.input[1]) if node.op_type == "Reshape" else None
        if shape is None or 0 in shape:
            continue
        front = makers.get(node.input[0])
        while front is not None and front.op_type in ("Reshape", "Squeeze", "Unsqueeze", "Flatten"):
            node.input[0] = front.input[0]
            front = makers.get(node.input[0])
    return drop_unused(model)


def drop_unused(model: onnx.ModelProto) -> onnx.ModelProto:
    """Remove nodes and initializers that no output depends on."""
    graph = model.graph
    needed = {value.name for value in graph.output}
    kept = []
    for node in reversed(graph.node):
        if needed.intersection(node.output):
            needed.update(node.input)
            kept.append(node)
    replace_nodes(graph, kept[::-1])
    initializers = [tensor for tensor in graph.initializer if tensor.name in needed]
    del graph.initializer[:]
    graph.initializer.extend(initializers)
    return model


def replace_nodes(graph: onnx.GraphProto, nodes: list[onnx.NodeProto]) -> None:
    """Give a graph another list of nodes; the nodes may be its own."""
    copies = []
    for node in nodes:
        copy = onnx.NodeProto()
        copy.CopyFrom(node)
        copies.append(copy)
    del graph.node[:]
    graph.node.extend(copies)


def _has_body(node: onnx.NodeProto) -> bool:
    return any(a.type in (onnx.AttributeProto.GRAPH, onnx.AttributeProto.GRAPHS) for a in node.attribute)
