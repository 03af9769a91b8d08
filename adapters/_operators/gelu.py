"""Find Gelu where an exporter wrote it as Erf and its surroundings: frameworks have it whole, and TFLite has no Erf."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping

import numpy as np
import onnx
from onnx import helper

from safeconvert.graph.fold import drop_unused, replace_nodes


def whole_gelu(model: onnx.ModelProto, constants: Mapping[str, np.ndarray]) -> onnx.ModelProto:
    """The model with `x / 2 * (1 + erf(x / sqrt(2)))`, in whichever order it is multiplied, as one Gelu node."""
    graph = model.graph
    known = {name: float(value.reshape(-1)[0]) for name, value in constants.items() if value.size == 1}
    for node in graph.node:
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            value = onnx.numpy_helper.to_array(node.attribute[0].t)
            if value.size == 1 and value.dtype.kind == "f":
                known[node.output[0]] = float(value.reshape(-1)[0])
    uses = Counter(name for node in graph.node for name in node.input)
    uses.update(value.name for value in graph.output)
    makers = {output: node for node in graph.node for output in node.output}
    readers = {name: node for node in graph.node for name in node.input if uses[name] == 1}
    found: dict[str, str] = {}
    for erf in (node for node in graph.node if node.op_type == "Erf"):
        x = _scaled_input(makers.get(erf.input[0]), known)
        add = readers.get(erf.output[0])
        if not x or add is None or add.op_type != "Add" or _other(add, erf.output[0], known) != 1.0:
            continue
        last = _product(readers.get(add.output[0]), add.output[0], x, known, makers, readers)
        if last:
            found[last] = x
    if found:
        nodes = [
            helper.make_node("Gelu", [found[node.output[0]]], list(node.output), name=node.name)
            if node.output[0] in found
            else node
            for node in graph.node
        ]
        replace_nodes(graph, nodes)
        drop_unused(model)
    return model


def _scaled_input(node: onnx.NodeProto | None, known: Mapping[str, float]) -> str:
    """x, where a node is x / sqrt(2)."""
    if node is None or node.op_type not in ("Div", "Mul"):
        return ""
    for index in (1,) if node.op_type == "Div" else (0, 1):
        factor = known.get(node.input[index])
        wanted = math.sqrt(2) if node.op_type == "Div" else math.sqrt(0.5)
        if factor is not None and abs(factor - wanted) < 1e-6:
            return str(node.input[1 - index])
    return ""


def _other(node: onnx.NodeProto, name: str, known: Mapping[str, float]) -> float | None:
    """The constant that a node takes besides a value."""
    rest = [other for other in node.input if other != name]
    return known.get(rest[0]) if len(rest) == 1 else None


def _product(
    node: onnx.NodeProto | None,
    gate: str,
    x: str,
    known: Mapping[str, float],
    makers: Mapping[str, onnx.NodeProto],
    readers: Mapping[str, onnx.NodeProto],
) -> str:
    """The name of gate * x / 2, in whichever order; "" where it is something else."""
    halves, factors = 0, 0
    while node is not None and node.op_type in ("Mul", "Div"):
        rest = [other for other in node.input if other != gate]
        if len(rest) != 1 or (node.op_type == "Div" and node.input[0] != gate):
            return ""
        value, maker = known.get(rest[0]), makers.get(rest[0])
        if value == (0.5 if node.op_type == "Mul" else 2.0):
            halves += 1
        elif rest[0] == x and node.op_type == "Mul":
            factors += 1
        elif (
            node.op_type == "Mul"
            and maker is not None
            and maker.op_type == "Mul"
            and x in maker.input
            and _other(maker, x, known) == 0.5
        ):
            halves, factors = halves + 1, factors + 1
        else:
            return ""
        gate = node.output[0]
        if (halves, factors) == (1, 1):
            return gate
        node = readers.get(gate)
    return ""
