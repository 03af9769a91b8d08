"""A quantised graph as it would compute in real numbers: tensors that are only rounded to eight bits and back pass through."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper

from safeconvert.graph.fold import drop_unused
from safeconvert.graph.operators import MOVES
from safeconvert.graph.view import GraphView


def is_quantized(view: GraphView) -> bool:
    """Whether tensors are rounded to integers."""
    return any(node.op_type == "QuantizeLinear" for node in view.nodes)


def without_rounding(view: GraphView) -> GraphView:
    """The graph without its pairs of QuantizeLinear and DequantizeLinear of one scale and zero point, moves between them or not.

    Names of nodes and tensors that stay are unchanged. What a pair cuts off beyond its range is not cut off any more.
    """
    gone = {number for front in range(len(view.nodes)) for number in _pair(view, front)}
    if not gone:
        return view
    model = onnx.ModelProto()
    model.CopyFrom(view.model)
    through: dict[str, str] = {}
    for number, node in enumerate(model.graph.node):
        node.input[:] = [through.get(name, name) for name in node.input]
        if number not in gone:
            continue
        if node.output[0] in view.outputs:
            node.CopyFrom(helper.make_node("Identity", [node.input[0]], [node.output[0]], node.name))
        else:
            through[node.output[0]] = node.input[0]
    del model.graph.value_info[:]
    return GraphView(drop_unused(model))


def _pair(view: GraphView, front: int) -> set[int]:
    """A QuantizeLinear and all DequantizeLinear that read what it makes, through moves; {} where one has another scale, or is none."""
    node = view.nodes[front]
    if node.op_type != "QuantizeLinear":
        return set()
    found, queue = {front}, [node.output[0]]
    while queue:
        name = queue.pop()
        if name in view.outputs:
            return set()
        for user in view.users.get(name, ()):
            other = view.nodes[user]
            if other.op_type == "DequantizeLinear" and _same(view, list(node.input[1:]), list(other.input[1:])):
                found.add(user)
            elif other.op_type in MOVES and other.input[0] == name:
                queue.append(other.output[0])
            else:
                return set()
    return found


def rounding_behind(view: GraphView, node: str) -> tuple[str, ...]:
    """Names of the QuantizeLinear and DequantizeLinear that round a node's output and nothing else; () where there are none."""
    number = next((index for index, one in enumerate(view.nodes) if one.name == node), None)
    found: list[str] = []
    for operator in ("QuantizeLinear", "DequantizeLinear"):
        users = view.users.get(view.nodes[number].output[0], ()) if number is not None else ()
        if len(users) != 1 or view.nodes[users[0]].op_type != operator:
            return ()
        number = users[0]
        found.append(view.nodes[number].name)
    return tuple(found)


def _same(view: GraphView, ours: list[str], theirs: list[str]) -> bool:
    """Whether two lists of inputs are the same constants."""
    if len(ours) != len(theirs):
        return False
    values = view.constants
    return all(
        one == two or (one in values and two in values and np.array_equal(values[one], values[two]))
        for one, two in zip(ours, theirs, strict=True)
    )
