"""Loop and If whose course constants tell: the nodes of each step, and of the branch that is taken."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping

import numpy as np
import onnx
from onnx import helper, numpy_helper

from safeconvert.prove.kernel.terms import Array

_MANY = 20_000
"""Nodes that a loop may be unrolled into."""


def unrolled(
    nodes: Iterable[onnx.NodeProto], constants: Mapping[str, Array], told: set[str]
) -> Iterator[onnx.NodeProto]:
    """Nodes of a graph in order, without those loops and branches whose course is known when they are reached.

    Args:
        nodes: of the graph, in order.
        constants: what is known of the tensors; whoever draws nodes adds what those make before the next is drawn.
        told: names of the constants by which the course was told are added here; where one depends on free sizes, nothing may be said.

    A loop whose course is not known to its end stays as it is.
    """
    for node in nodes:
        bodies = {a.name: a.g for a in node.attribute if a.type == onnx.AttributeProto.GRAPH}
        plain = not any(holds_graph(inner) for body in bodies.values() for inner in body.node)
        if node.domain not in ("", "ai.onnx") or not plain:
            yield node
        elif node.op_type == "Loop":
            yield from _loop(node, bodies["body"], constants, told)
        elif node.op_type == "If" and node.input[0] in constants:
            told.add(node.input[0])
            chosen = bodies["then_branch" if constants[node.input[0]].all() else "else_branch"]
            ends = yield from _inlined(chosen, {}, f"{_named(node)}//")
            yield from _identities(ends, node.output)
        else:
            yield node


def holds_graph(node: onnx.NodeProto) -> bool:
    """Whether a node has a graph as an attribute."""
    return any(a.type in (onnx.AttributeProto.GRAPH, onnx.AttributeProto.GRAPHS) for a in node.attribute)


def _loop(
    node: onnx.NodeProto, body: onnx.GraphProto, constants: Mapping[str, Array], told: set[str]
) -> Iterator[onnx.NodeProto]:
    most, going = node.input[0], node.input[1]
    carried, scans = list(node.input[2:]), list[list[str]]()
    count = len(carried)
    step = 0
    while True:
        known = [name for name in (most, going) if name]
        if any(name not in constants for name in known) or step * (len(body.node) + 3) > _MANY:
            yield node
            return
        told.update(known)
        if (most and step >= int(constants[most])) or (going and not constants[going].all()):
            break
        prefix = f"{_named(node)}//{step}/"
        yield _constant(numpy_helper.from_array(np.asarray(step, np.int64)), f"{prefix}step")
        if not going:
            going = f"{prefix}going"
            yield _constant(numpy_helper.from_array(np.asarray(True)), going)
        names = dict(zip([i.name for i in body.input], [f"{prefix}step", going, *carried], strict=True))
        ends = yield from _inlined(body, names, prefix)
        going, carried = ends[0], ends[1 : 1 + count]
        scans.append(ends[1 + count :])
        step += 1
    if not step and len(node.output) > count:
        yield node
        return
    yield from _identities(carried, node.output)
    yield from _stacked(node, count, scans)


def _stacked(node: onnx.NodeProto, count: int, scans: list[list[str]]) -> Iterator[onnx.NodeProto]:
    """What the steps give out, one behind the other along a first axis."""
    axes = f"{_named(node)}//axes"
    yield _constant(numpy_helper.from_array(np.asarray([0], np.int64)), axes)
    for index, output in enumerate(node.output[count:]):
        wide = [f"{_named(node)}//{index}/{step}" for step in range(len(scans))]
        for name, ends in zip(wide, scans, strict=True):
            yield helper.make_node("Unsqueeze", [ends[index], axes], [name])
        if output:
            yield helper.make_node("Concat", wide, [output], axis=0)


def _inlined(body: onnx.GraphProto, names: dict[str, str], prefix: str) -> Generator[onnx.NodeProto, None, list[str]]:
    """A body's nodes with names of their own; returns what its outputs are called."""
    for tensor in body.initializer:
        names[tensor.name] = f"{prefix}{tensor.name}"
        yield _constant(tensor, names[tensor.name])
    for node in body.node:
        made = onnx.NodeProto()
        made.CopyFrom(node)
        made.input[:] = [names.get(name, name) for name in node.input]
        names.update({name: f"{prefix}{name}" for name in node.output if name})
        made.output[:] = [names.get(name, name) for name in node.output]
        made.name = f"{prefix}{node.name}"
        yield made
    return [names.get(output.name, output.name) for output in body.output]


def _identities(names: Iterable[str], outputs: Iterable[str]) -> Iterator[onnx.NodeProto]:
    for name, output in zip(names, outputs, strict=False):
        if output:
            yield helper.make_node("Identity", [name], [output])


def _constant(tensor: onnx.TensorProto, name: str) -> onnx.NodeProto:
    return helper.make_node("Constant", [], [name], value=tensor)


def _named(node: onnx.NodeProto) -> str:
    return str(next(name for name in node.output if name))
