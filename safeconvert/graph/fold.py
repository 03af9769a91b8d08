"""Evaluate what does not depend on the inputs, and drop what no output depends on."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import numpy_helper

from safeconvert.core.evaluator import evaluator
from safeconvert.core.reference import told
from safeconvert.core.tensors import is_reference

_LARGEST = 1 << 22  # elements: beyond it a folded constant would only blow the file up
_NOT_CONSTANT = {"RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike", "Multinomial", "Bernoulli"}


def fold_constants(model: onnx.ModelProto) -> onnx.ModelProto:
    """Replace every node that reads only initializers by its value; weights that stay in their file (`graph.stored`) are left there.

    onnxscript's optimizer leaves ConstantOfShape and what follows it (seen in 0.7.2); converters then meet it as data.
    """
    graph = model.graph
    known = {tensor.name for tensor in graph.initializer if not is_reference(tensor)}
    opset = max((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), default=0)
    constant: list[onnx.NodeProto] = []
    kept: list[onnx.NodeProto] = []
    for node in graph.node:
        reads_known = all(name in known or not name for name in node.input)
        if reads_known and node.op_type not in _NOT_CONSTANT and told(node, opset) and not _has_body(node):
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
    alone = onnx.helper.make_model(subgraph, opset_imports=model.opset_import)
    values = dict(zip(wanted, evaluator(alone).run(None, {}), strict=True))
    if any(np.size(value) > _LARGEST for value in values.values()):
        return model
    replace_nodes(graph, kept)
    graph.initializer.extend(numpy_helper.from_array(np.asarray(value), name) for name, value in values.items())
    return model


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
    # A message's memory is freed with all of it: a list of initializers written anew would hold the weights twice.
    for index in reversed(range(len(graph.initializer))):
        if graph.initializer[index].name not in needed:
            del graph.initializer[index]
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
