"""Axes written out, and counted from the front."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper

from safeconvert.graph.nodes import Graph, explicit_attributes, rewritten

_ATTRIBUTE = ("Concat", "Split", "ArgMax", "ReduceMean", "ReduceMax")


def rewrite(model: onnx.ModelProto, reads: frozenset[str]) -> onnx.ModelProto:
    """Count the axes of Concat, Split, ArgMax, ReduceMean, ReduceMax and Slice from the front; give a Slice its axes.

    onnx2keras 0.0.25 moves axes when channels go last, and moves -1 alone among those counted from the end: a Concat over -3
    joins images instead of channels. A Slice without axes, or with negative ones, dies.
    """
    return rewritten(model, (*_ATTRIBUTE, "Slice"), _from_the_front)


def _from_the_front(node: onnx.NodeProto, graph: Graph) -> list[onnx.NodeProto] | None:
    rank = len(graph.shapes.get(node.input[0], ()))
    if not rank:
        return None
    return _slice(node, graph, rank) if node.op_type == "Slice" else _other(node, rank)


def _slice(node: onnx.NodeProto, graph: Graph, rank: int) -> list[onnx.NodeProto] | None:
    starts = graph.values.get(node.input[1]) if len(node.input) > 1 else None
    given = graph.values.get(node.input[3]) if len(node.input) > 3 and node.input[3] else None
    if starts is None or (given is None and len(node.input) > 3 and node.input[3]):
        return None
    axes = np.arange(starts.size) if given is None else given
    if given is not None and (given >= 0).all():
        return None
    name = graph.constant(f"{node.output[0]}_axes", np.asarray(axes % rank, np.int64))
    inputs = [*node.input[:3], name, *node.input[4:]]
    return [helper.make_node("Slice", inputs, list(node.output), node.name)]


def _other(node: onnx.NodeProto, rank: int) -> list[onnx.NodeProto] | None:
    attributes = explicit_attributes(node)
    if attributes.get("axis", 0) < 0:
        attributes["axis"] += rank
    elif any(axis < 0 for axis in attributes.get("axes", [])):
        attributes["axes"] = [axis % rank for axis in attributes["axes"]]
    else:
        return None
    return [helper.make_node(node.op_type, list(node.input), list(node.output), node.name, **attributes)]
