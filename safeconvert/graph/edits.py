"""Edits of a graph, as data. Applying one gives a new graph; the one it is applied to stays as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import singledispatch
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from safeconvert.graph.fold import drop_unused, replace_nodes
from safeconvert.graph.view import GraphView

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class SetConstant:
    """Give a node's constant input another value; an input beyond the last is added, None drops it."""

    node: str
    index: int
    value: Array | None


@dataclass(frozen=True)
class SetAttribute:
    """Give a node's attribute another value; None removes it."""

    node: str
    name: str
    value: Any


@dataclass(frozen=True)
class Rewire:
    """Let a node read another tensor."""

    node: str
    index: int
    tensor: str


@dataclass(frozen=True)
class InsertTranspose:
    """Put a Transpose in front of one input of a node."""

    node: str
    index: int
    order: tuple[int, ...]


@dataclass(frozen=True)
class Bypass:
    """Take a node out: who read its first output reads one of its inputs instead."""

    node: str
    index: int


@dataclass(frozen=True)
class Splice:
    """Replace what makes a tensor by nodes of another graph.

    Attributes:
        exit: the tensor that the new nodes make from now on.
        nodes: the new nodes, in order; their tensors are renamed with `prefix`, but for those in `entries`.
        constants: initializers that they read.
        entries: for each outer tensor that they read, its name in the graph that is edited.
        made: the tensor of the new nodes that becomes `exit`.
        prefix: keeps the new names apart.
    """

    exit: str
    nodes: tuple[onnx.NodeProto, ...]
    constants: tuple[onnx.TensorProto, ...]
    entries: Mapping[str, str]
    made: str
    prefix: str


@dataclass(frozen=True)
class KeepOutputs:
    """Drop every other output of the graph."""

    names: tuple[str, ...]


Edit = SetConstant | SetAttribute | Rewire | InsertTranspose | Bypass | Splice | KeepOutputs


class EditError(ValueError):
    """An edit names a node that is not there, or leaves a graph that is not valid."""


def apply(view: GraphView, edits: Iterable[Edit]) -> GraphView:
    """The graph with edits made, in order. Raises EditError."""
    model = onnx.ModelProto()
    model.CopyFrom(view.model)
    for edit in edits:
        _apply(edit, model.graph)
    return GraphView(drop_unused(_ordered(model)))


@singledispatch
def _apply(edit: Edit, graph: onnx.GraphProto) -> None:
    raise EditError(f"unknown edit {edit!r}")


@_apply.register
def _(edit: SetConstant, graph: onnx.GraphProto) -> None:
    node = _node(graph, edit.node)
    if edit.value is None:
        node.input[edit.index] = ""
        while node.input and not node.input[-1]:
            del node.input[-1]
        return
    name = _fresh(graph, f"{edit.node}::{edit.index}")
    graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(edit.value), name))
    while len(node.input) <= edit.index:
        node.input.append("")
    node.input[edit.index] = name


@_apply.register
def _(edit: SetAttribute, graph: onnx.GraphProto) -> None:
    node = _node(graph, edit.node)
    kept = [attribute for attribute in node.attribute if attribute.name != edit.name]
    copies = [onnx.AttributeProto.FromString(attribute.SerializeToString()) for attribute in kept]
    del node.attribute[:]
    node.attribute.extend(copies)
    if edit.value is not None:
        node.attribute.append(helper.make_attribute(edit.name, edit.value))


@_apply.register
def _(edit: Rewire, graph: onnx.GraphProto) -> None:
    node = _node(graph, edit.node)
    if edit.index >= len(node.input):
        raise EditError(f"node {edit.node} has no input {edit.index}")
    node.input[edit.index] = edit.tensor


@_apply.register
def _(edit: InsertTranspose, graph: onnx.GraphProto) -> None:
    node = _node(graph, edit.node)
    name = _fresh(graph, f"{edit.node}::transposed")
    moved = helper.make_node("Transpose", [node.input[edit.index]], [name], name, perm=list(edit.order))
    node.input[edit.index] = name
    graph.node.append(moved)


@_apply.register
def _(edit: Bypass, graph: onnx.GraphProto) -> None:
    gone = _node(graph, edit.node)
    made, outputs = gone.output[0], {value.name for value in graph.output}
    tensor = gone.input[edit.index]
    old, new = made, tensor
    if made in outputs:
        if tensor in outputs or not any(tensor in node.output for node in graph.node):
            gone.CopyFrom(helper.make_node("Identity", [tensor], [made], gone.name))
            return
        graph.node.remove(gone)
        old, new = tensor, made
    for node in graph.node:
        node.input[:] = [new if name == old else name for name in node.input]
        if made in outputs:
            node.output[:] = [new if name == old else name for name in node.output]


@_apply.register
def _(edit: Splice, graph: onnx.GraphProto) -> None:
    def renamed(name: str) -> str:
        if name == edit.made:
            return edit.exit
        return edit.entries.get(name, f"{edit.prefix}{name}" if name else "")

    for node in graph.node:
        if edit.exit in node.output:
            node.output[:] = [_fresh(graph, f"{name}::replaced") if name == edit.exit else name for name in node.output]
    for tensor in edit.constants:
        copy = onnx.TensorProto()
        copy.CopyFrom(tensor)
        copy.name = renamed(tensor.name)
        graph.initializer.append(copy)
    for node in edit.nodes:
        copied = onnx.NodeProto()
        copied.CopyFrom(node)
        copied.name = f"{edit.prefix}{node.name}"
        copied.input[:] = [renamed(name) for name in node.input]
        copied.output[:] = [renamed(name) for name in node.output]
        graph.node.append(copied)


@_apply.register
def _(edit: KeepOutputs, graph: onnx.GraphProto) -> None:
    kept = [value for value in graph.output if value.name in edit.names]
    copies = [onnx.ValueInfoProto.FromString(value.SerializeToString()) for value in kept]
    if len(copies) != len(edit.names):
        raise EditError(f"outputs {', '.join(edit.names)}: not all there")
    del graph.output[:]
    graph.output.extend(copies)


def _node(graph: onnx.GraphProto, name: str) -> onnx.NodeProto:
    for node in graph.node:
        if node.name == name:
            return node
    raise EditError(f"no node is named {name}")


def _fresh(graph: onnx.GraphProto, base: str) -> str:
    taken = {tensor.name for tensor in graph.initializer} | {name for node in graph.node for name in node.output}
    name, number = base, 1
    while name in taken:
        name, number = f"{base}:{number}", number + 1
    return name


def _ordered(model: onnx.ModelProto) -> onnx.ModelProto:
    """Nodes in topological order; the given order where it already is one. Raises EditError on a cycle."""
    graph = model.graph
    known = {tensor.name for tensor in graph.initializer} | {value.name for value in graph.input} | {""}
    waiting = list(graph.node)
    ready: list[onnx.NodeProto] = []
    while waiting:
        fits: Callable[[onnx.NodeProto], bool] = lambda node: all(name in known for name in node.input)  # noqa: E731
        blocked = []
        for node in waiting:
            if fits(node):
                ready.append(node)
                known.update(node.output)
            else:
                blocked.append(node)
        if len(blocked) == len(waiting):
            raise EditError(
                f"node {blocked[0].name} reads what nothing makes: {', '.join(set(blocked[0].input) - known)}"
            )
        waiting = blocked
    replace_nodes(graph, ready)
    return model
