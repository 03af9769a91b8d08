"""Which operators of a graph keep it from being converted: those that a converter's message names, and those that nobody defines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import onnx

_SAID = r"(?:operators?|ops?|op_type|operation_type|operation|layer|type)\W+"


@dataclass(frozen=True)
class Obstacle:
    """An operator at a node.

    Attributes:
        operator: with its domain where that is not ONNX' own: `com.example::Frobnicate`.
        node: the node's name; that of its first output where it has none.
    """

    operator: str
    node: str


def named(model: onnx.ModelProto, messages: Sequence[str]) -> list[Obstacle]:
    """The nodes of a graph, and of the bodies in it, that converters' messages name.

    An operator counts as named where it stands in quotes or behind a word such as "operator" or a domain: many operators
    are plain words (If, And, Where). Of an operator's nodes those are taken whose own name is in the message too, else all.
    """
    found: dict[Obstacle, None] = {}
    for message in messages:
        nodes = [node for node in _nodes(model.graph) if _names(message, node.op_type)]
        named_nodes = [
            node for node in nodes if node.name and re.search(rf"(?<!\w){re.escape(node.name)}(?!\w)", message)
        ]
        found.update(dict.fromkeys(_obstacle(node) for node in named_nodes or nodes))
    return list(found)


def undefined(model: onnx.ModelProto) -> list[Obstacle]:
    """The nodes whose operators neither ONNX nor a function of the model itself defines."""
    versions = {entry.domain: entry.version for entry in model.opset_import}
    local = {(function.domain, function.name) for function in model.functions}
    bodies = [_nodes(model.graph), *(iter(function.node) for function in model.functions)]
    return [
        _obstacle(node)
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
    word = re.escape(operator)
    return re.search(rf"""['"`]{word}['"`]|{_SAID}{word}(?!\w)|(?:::|\w:){word}(?!\w)""", message) is not None


def _obstacle(node: onnx.NodeProto) -> Obstacle:
    operator = node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}::{node.op_type}"
    return Obstacle(operator, node.name or next(iter(node.output), ""))
