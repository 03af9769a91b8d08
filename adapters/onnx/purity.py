"""What an ONNX model's outputs depend on beside its inputs, by the operators that its outputs are computed with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import onnx
from onnx import numpy_helper

from safeconvert.graph.stored import light_graph

_DRAWING = ("RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Multinomial", "Bernoulli")


def impurities(path: str) -> list[str]:
    """A line for each node that draws random numbers, in the graph's order; also those that a seed starts: each call goes on with it."""
    model = light_graph(path, large=0)
    wanted = {value.name for value in model.graph.output}
    constants = {one.name: one for one in model.graph.initializer}
    found = []
    for node in reversed(model.graph.node):
        if wanted.isdisjoint(node.output):
            continue
        inner = list(_within(node))
        wanted |= {name for one in (node, *inner) for name in one.input}
        found += [one for one in reversed((node, *inner)) if _draws(one, constants)]
    local = [one for function in model.functions for one in function.node if _draws(one, {})]
    return [
        f"draws random numbers at {node.name or node.output[0]} ({node.op_type})" for node in (*reversed(found), *local)
    ]


def _within(node: onnx.NodeProto) -> Iterator[onnx.NodeProto]:
    """The nodes of its subgraphs, and of theirs."""
    for attribute in node.attribute:
        for graph in (attribute.g, *attribute.graphs):
            for one in graph.node:
                yield one
                yield from _within(one)


def _draws(node: onnx.NodeProto, constants: dict[str, onnx.TensorProto]) -> bool:
    """Whether a node draws: Dropout where its third input, which opset 12 brought, says training."""
    if node.domain not in ("", "ai.onnx"):
        return False
    if node.op_type != "Dropout":
        return node.op_type in _DRAWING
    training = _third(node.input, constants)
    return training is not None and bool(numpy_helper.to_array(training).any())


def _third(inputs: Sequence[str], constants: dict[str, onnx.TensorProto]) -> onnx.TensorProto | None:
    return constants.get(inputs[2]) if len(inputs) > 2 else None
