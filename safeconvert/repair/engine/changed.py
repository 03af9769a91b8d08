"""A repair as changes of constants and attributes, where it is nothing more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import onnx
from onnx import defs, helper

from safeconvert.adapter_api.attributes import same_value
from safeconvert.adapter_api.changes import AttributeChange, Changes
from safeconvert.graph.attributes import attributes
from safeconvert.graph.edits import Edit, SetAttribute, SetConstant
from safeconvert.graph.view import Array, GraphView

_CLIP_BOUNDS = {1: "min", 2: "max"}


def changes_of(target: GraphView, edits: Sequence[Edit]) -> Changes | None:
    """What the edits change.

    Args:
        target: the tidied graph that they were made on.
        edits: all of a repair.

    Returns:
        None where an edit moves, adds or drops a node or an edge.
    """
    nodes = {node.name: node for node in target.nodes}
    shapes = _shapes(target)
    constants, set_attributes = [], []
    for edit in edits:
        if not isinstance(edit, SetConstant | SetAttribute) or edit.node not in nodes:
            return None
        node = nodes[edit.node]
        if isinstance(edit, SetAttribute) and edit.name == "auto_pad" and edit.value is None:
            continue  # goes with pads written out, which come in an edit of their own
        if isinstance(edit, SetAttribute):
            new = edit.value.decode() if isinstance(edit.value, bytes) else edit.value
            set_attributes.append(_attribute(target, node, edit.name, new, shapes))
            continue
        old = target.constants.get(node.input[edit.index]) if edit.index < len(node.input) else None
        if old is None or edit.value is None or old.shape != edit.value.shape:
            return None
        if node.op_type == "Clip" and edit.index in _CLIP_BOUNDS:
            set_attributes.append(_attribute(target, node, _CLIP_BOUNDS[edit.index], float(edit.value), shapes))
        else:
            constants.append((old, edit.value))
    return Changes(tuple(constants), tuple(set_attributes))


def _attribute(
    target: GraphView, node: onnx.NodeProto, name: str, new: Any, shapes: dict[str, tuple[int, ...]]
) -> AttributeChange:
    old = _value(target, node, name, shapes)
    alike = [
        other.name
        for other in target.nodes
        if other.op_type == node.op_type and same_value(_value(target, other, name, shapes), old)
    ]
    weights = tuple(
        value
        for value in (target.constants.get(entry) for entry in node.input)
        if value is not None and value.ndim >= 2
    )
    if new is None:
        new = _default(node, name, target.opset)
    return AttributeChange(node.op_type, name, old, _plain(new), alike.index(node.name), len(alike), weights)


def _value(target: GraphView, node: onnx.NodeProto, name: str, shapes: dict[str, tuple[int, ...]]) -> Any:
    if node.op_type == "Clip" and name in _CLIP_BOUNDS.values() and len(node.input) > 1:
        index = next(number for number, bound in _CLIP_BOUNDS.items() if bound == name)
        bound: Array | None = target.constants.get(node.input[index]) if index < len(node.input) else None
        return float(bound) if bound is not None else None
    known = [shapes.get(entry) for entry in node.input]
    return _plain(attributes(node, target.opset, known).get(name))


def _default(node: onnx.NodeProto, name: str, opset: int) -> Any:
    declared = (
        defs.get_schema(node.op_type, opset, "").attributes.get(name) if defs.has(node.op_type, opset, "") else None
    )
    if declared is None or declared.default_value.type == onnx.AttributeProto.UNDEFINED:
        return None
    return helper.get_attribute_value(declared.default_value)


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode()
    return list(value) if isinstance(value, list | tuple) else value


def _shapes(target: GraphView) -> dict[str, tuple[int, ...]]:
    """Known shapes by tensor; a free dimension is 0."""
    try:
        inferred = onnx.shape_inference.infer_shapes(target.model)
    except onnx.shape_inference.InferenceError:
        inferred = target.model
    found = {name: value.shape for name, value in target.constants.items()}
    for value in [*inferred.graph.value_info, *inferred.graph.input, *inferred.graph.output]:
        if value.type.tensor_type.HasField("shape"):
            found[value.name] = tuple(dim.dim_value for dim in value.type.tensor_type.shape.dim)
    return found
