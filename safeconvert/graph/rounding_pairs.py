"""A quantised graph as it would compute in real numbers: tensors that are only rounded to eight bits and back pass through."""

from __future__ import annotations

import numpy as np
import onnx

from safeconvert.graph.fold import drop_unused
from safeconvert.graph.view import GraphView


def is_quantized(view: GraphView) -> bool:
    """Whether tensors are rounded to integers."""
    return any(node.op_type == "QuantizeLinear" for node in view.nodes)


def without_rounding(view: GraphView) -> GraphView:
    """The graph without its pairs of QuantizeLinear and DequantizeLinear of one scale and zero point.

    Names of nodes and tensors that stay are unchanged. What a pair cuts off beyond its range is not cut off any more. A pair that makes an
    output of the graph stays.
    """
    through: dict[str, str] = {}
    for node in view.nodes:
        maker = view.maker.get(node.input[0]) if node.op_type == "DequantizeLinear" else None
        front = view.nodes[maker] if maker is not None else None
        if front is None or front.op_type != "QuantizeLinear" or node.output[0] in view.outputs:
            continue
        if _same(view, list(front.input[1:]), list(node.input[1:])):
            through[node.output[0]] = through.get(front.input[0], front.input[0])
    if not through:
        return view
    model = onnx.ModelProto()
    model.CopyFrom(view.model)
    for node in model.graph.node:
        node.input[:] = [through.get(name, name) for name in node.input]
    return GraphView(drop_unused(model))


def rounding_behind(view: GraphView, node: str) -> tuple[str, ...]:
    """Names of the QuantizeLinear and DequantizeLinear that round a node's output and nothing else; () where there are none."""
    number = next((place for place, one in enumerate(view.nodes) if one.name == node), None)
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
