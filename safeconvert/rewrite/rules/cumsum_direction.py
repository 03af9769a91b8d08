"""Cumulative sums with their direction written out."""

from __future__ import annotations

import onnx
from onnx import helper

from safeconvert.graph.nodes import Graph, explicit_attributes, rewritten


def rewrite(model: onnx.ModelProto, reads: frozenset[str]) -> onnx.ModelProto:
    """Write `reverse` and `exclusive` of a CumSum out.

    onnx2torch 1.5.15 takes a CumSum that leaves `reverse` unsaid for one from the end (its default is 0, from the front).
    """
    return rewritten(model, ("CumSum",), _said)


def _said(node: onnx.NodeProto, graph: Graph) -> list[onnx.NodeProto] | None:
    usual = {"reverse": 0, "exclusive": 0}
    if usual.keys() <= explicit_attributes(node).keys():
        return None
    return [
        helper.make_node(
            "CumSum", list(node.input), list(node.output), node.name, **{**usual, **explicit_attributes(node)}
        )
    ]
