"""What onnx' reference evaluator (1.23) computes otherwise than the standard and ONNX Runtime: by it nothing is folded, shown or run.

Found by running each operator in both, on constants. Where ONNX Runtime has no kernel (operators as they were before set 7), the standard decides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import onnx
from onnx import helper

Attributes = Mapping[str, Any]
BY_AXIS = frozenset(
    {"Add", "Sub", "Mul", "Div", "Pow", "And", "Or", "Xor", "Equal", "Less", "Greater", "Gemm", "PRelu"}
)
"""Operators that before set 7 broadcast along an axis that an attribute says (PRelu from the channels on), and not from the last axis."""
_SEQUENCE_LENGTHS = 4  # which input they are
_USUAL = {
    "LSTM": ["Sigmoid", "Tanh", "Tanh"],
    "GRU": ["Sigmoid", "Tanh"],
    "RNN": ["Tanh"],
}


def misread(node: onnx.NodeProto, opset: int) -> bool:
    """Whether the reference gives other numbers for a node of a set than the standard."""
    if node.domain not in ("", "ai.onnx"):
        return False
    attributes = {one.name: helper.get_attribute_value(one) for one in node.attribute}
    if opset < 7 and node.op_type in BY_AXIS and ("axis" in attributes or node.op_type == "PRelu"):
        return True
    rule = _RULES.get(node.op_type)
    return rule is not None and rule(node, attributes, opset)


def misplaced(node: onnx.NodeProto) -> bool:
    """Whether it may take another neighbour where one of two is as near, or where float32 rounds a place: a Resize to whole neighbours, or of corners."""
    modes = {one.name: helper.get_attribute_value(one) for one in node.attribute}
    nearest = modes.get("mode", b"nearest") == b"nearest"
    corners = modes.get("coordinate_transformation_mode") == b"align_corners"
    return node.op_type in ("Resize", "Upsample") and (nearest or corners)


def told(node: onnx.NodeProto, opset: int) -> bool:
    """Whether what the reference makes of constants is what any runtime makes of them."""
    return not misread(node, opset) and not misplaced(node)


def _recurrent(node: onnx.NodeProto, attributes: Attributes, opset: int) -> bool:
    """It knows no lengths of sequences, no clip, no coupled gates and no other activations."""
    lengths = len(node.input) > _SEQUENCE_LENGTHS and bool(node.input[_SEQUENCE_LENGTHS])
    usual = _USUAL[node.op_type]
    given = [one.decode() for one in attributes.get("activations", [])]
    other = any(given[start : start + len(usual)] != usual for start in range(0, len(given), len(usual)))
    return lengths or other or "clip" in attributes or bool(attributes.get("input_forget"))


def _softmax(node: onnx.NodeProto, attributes: Attributes, opset: int) -> bool:
    """Before set 13 over all axes from the one on."""
    return opset < 13


def _normalization(node: onnx.NodeProto, attributes: Attributes, opset: int) -> bool:
    return opset < 9 and attributes.get("spatial", 1) == 0


def _padded(node: onnx.NodeProto, attributes: Attributes, opset: int) -> bool:
    return bool(attributes.get("auto_pad") == b"SAME_LOWER")


def _always(node: onnx.NodeProto, attributes: Attributes, opset: int) -> bool:
    return True


_RULES: Mapping[str, Callable[[onnx.NodeProto, Attributes, int], bool]] = {
    "LSTM": _recurrent, "GRU": _recurrent, "RNN": _recurrent, "Softmax": _softmax, "LogSoftmax": _softmax, "Hardmax": _softmax,
    "BatchNormalization": _normalization, "MaxPool": _padded, "AveragePool": _padded, "LpPool": _padded, "LRN": _always,
    "RoiAlign": lambda node, attributes, opset: opset < 16, "Unique": _always,
}  # fmt: skip
