"""Inputs of a model that say how long what is cut out is: what is cut out has the shape that the graph declares.

A CenterCropPad whose body was written out pads by as much as its input says, and a Pad has no shape that anything declares. The Slice
behind it has: it ends where it begins plus that input.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from .declared import Shape


def lengths(
    nodes: Sequence[onnx.NodeProto],
    shapes: Mapping[str, Shape],
    feeds: Mapping[str, Any],
    constants: Mapping[str, np.ndarray],
    told: dict[str, str],
) -> dict[str, np.ndarray]:
    """By input, the one value that is left of those that are such a length.

    Args:
        nodes: of the graph, in its order.
        shapes: declared, by tensor.
        feeds: the inputs.
        constants: the initializers.
        told: takes by what an input was settled.
    """
    made = {name: node for node in nodes for name in node.output}
    found: dict[str, np.ndarray] = {}
    for node in nodes:
        if node.op_type != "Slice" or len(node.input) not in (3, 4) or node.output[0] not in shapes:
            continue
        shape, end = shapes[node.output[0]], made.get(node.input[2])
        if end is None or end.op_type != "Add" or list(end.input).count(node.input[1]) != 1:
            continue
        (length,) = (name for name in end.input if name != node.input[1])
        axes = _constant(node.input[3], made, constants) if len(node.input) == 4 else np.arange(len(shape))
        if length in feeds and axes is not None:
            found[length] = np.asarray([shape[int(axis)] for axis in axes.reshape(-1)], dtype=np.int64)
            told[f"input {length}"] = (
                f"it is {found[length].tolist()}, since {node.output[0]} has the shape {list(shape)}"
            )
    return found


def _constant(name: str, made: Mapping[str, onnx.NodeProto], constants: Mapping[str, np.ndarray]) -> np.ndarray | None:
    if name in constants:
        return constants[name]
    node = made.get(name)
    if node is None or node.op_type != "Constant":
        return None
    (attribute,) = node.attribute
    value = helper.get_attribute_value(attribute)
    return numpy_helper.to_array(value) if attribute.name == "value" else np.asarray(value)
