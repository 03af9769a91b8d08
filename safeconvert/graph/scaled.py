"""Tensors that are an input times a number plus a number, element by element: what is compared with them lies at a known place of the input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx

Array = np.ndarray[Any, Any]
_COPIES = {
    "Identity",
    "Cast",
    "Reshape",
    "Squeeze",
    "Unsqueeze",
    "Transpose",
    "Flatten",
    "Slice",
    "Split",
    "Expand",
    "Tile",
    "Gather",
}
_KEEPS = {"Floor", "Ceil", "Round", "Relu", "LeakyRelu", "Abs", "Clip", "Min", "Max", "Mod"}
"""Within some stretch they give about what they read."""


@dataclass(frozen=True)
class Scaled:
    """`slope * x + offset` of an input x."""

    slope: float = 1.0
    offset: float = 0.0

    def place(self, value: float) -> float:
        """The x at which it has a value."""
        return (value - self.offset) / self.slope


def followed(node: onnx.NodeProto, known: Mapping[str, Scaled], constants: Mapping[str, Array]) -> Scaled | None:
    """What a node gives of what is known; None where it is no input scaled and shifted by one number each."""
    read = [index for index, name in enumerate(node.input) if name in known]
    if len(read) != 1 or node.domain not in ("", "ai.onnx"):
        return None
    line = known[node.input[read[0]]]
    if node.op_type in _COPIES:
        return line if read == [0] else None
    if node.op_type in _KEEPS:
        return line
    if node.op_type == "Neg":
        return Scaled(-line.slope, -line.offset)
    other = _number(constants.get(node.input[1 - read[0]])) if len(node.input) == 2 else None
    if other is None:
        return None
    if node.op_type == "Add":
        return Scaled(line.slope, line.offset + other)
    if node.op_type == "Sub":
        return Scaled(line.slope, line.offset - other) if read == [0] else Scaled(-line.slope, other - line.offset)
    if node.op_type == "Mul" and other:
        return Scaled(line.slope * other, line.offset * other)
    if node.op_type == "Div" and other and read == [0]:
        return Scaled(line.slope / other, line.offset / other)
    return None


def _number(array: Array | None) -> float | None:
    """The one finite number that a constant holds."""
    if array is None or not array.size or array.dtype.kind not in "iuf" or (array != array.flat[0]).any():
        return None
    return float(array.flat[0]) if np.isfinite(array.flat[0]) else None
