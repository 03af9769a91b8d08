"""Which operators of a graph keep it from being converted: those that a converter's message names, and those that nobody defines."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

import onnx

from safeconvert.core.obstacles import Obstacle

_OTHER_NAMES = {"Div": ("FloorDiv", "RealDiv"), "Mod": ("FloorMod", "FloorRem")}
"""What TensorFlow calls operators of other names in ONNX."""
_SIZED_BY_DATA = ("NonMaxSuppression", "NonZero", "Unique", "Compress")
"""Operators of which no target format but ONNX has one with the same outputs."""
_SAID = r"(?:operators?|ops?|op_type|operation_type|operation|layer|type)\W+"


def named(model: onnx.ModelProto, messages: Sequence[str]) -> list[Obstacle]:
    """The nodes of a graph, and of the bodies in it, that converters' messages name.

    An operator counts as named where it stands in quotes or behind a word such as "operator" or a domain: many operators
    are plain words (If, And, Where). Of an operator's nodes those are taken whose own name is in the message too, else all.
    Where all messages that name any have operators in common, no others count: another converter has the others.
    """
    found: list[list[Obstacle]] = []
    constants = {tensor.name for tensor in model.graph.initializer}
    constants |= {name for node in model.graph.node if node.op_type == "Constant" for name in node.output}
    for message in messages:
        nodes = [node for node in _nodes(model.graph) if _names(message, node.op_type)]
        named_nodes = [
            node for node in nodes if node.name and re.search(rf"(?<!\w){re.escape(node.name)}(?!\w)", message)
        ]
        found.append([_obstacle(node, constants) for node in named_nodes or nodes])
    operators = [{one.operator for one in each} for each in found if each]
    common = set.intersection(*operators) if operators else set()
    every = dict.fromkeys(one for each in found for one in each)
    return [one for one in every if not common or one.operator in common]


def undefined(model: onnx.ModelProto) -> list[Obstacle]:
    """The nodes whose operators neither ONNX nor a function of the model itself defines."""
    versions = {entry.domain: entry.version for entry in model.opset_import}
    local = {(function.domain, function.name) for function in model.functions}
    bodies = [_nodes(model.graph), *(iter(function.node) for function in model.functions)]
    return [
        _obstacle(node, ())
        for nodes in bodies
        for node in nodes
        if (node.domain, node.op_type) not in local
        and not onnx.defs.has(node.op_type, versions.get(node.domain, 1), node.domain)
    ]


def _nodes(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    """The nodes of a graph and, behind each, those of its bodies."""
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            for body in (attribute.g, *attribute.graphs):
                yield from _nodes(body)


def _names(message: str, operator: str) -> bool:
    words = "|".join(re.escape(word) for word in (operator, *_OTHER_NAMES.get(operator, ())))
    return (
        re.search(rf"""['"`](?:{words})['"`]|{_SAID}(?:{words})(?!\w)|(?:::|\w:)(?:{words})(?!\w)""", message)
        is not None
    )


def _obstacle(node: onnx.NodeProto, constants: Collection[str]) -> Obstacle:
    operator = node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}::{node.op_type}"
    computed = [name for name in node.input if name and name not in constants]
    cut = ", ".join(computed) if operator in _SIZED_BY_DATA else ""
    return Obstacle(operator, node.name or next(iter(node.output), ""), cut)
