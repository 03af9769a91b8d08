"""Attributes of a node with everything unsaid written out, so that two nodes can be compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import onnx
from onnx import defs, helper

_WINDOWED = {"Conv", "ConvTranspose", "MaxPool", "AveragePool", "LpPool"}
# They steer training, the ONNX checker or storage, and leave the result at inference as it is.
_WITHOUT_EFFECT = {"momentum", "training_mode", "seed", "storage_order", "consumed_inputs", "spatial"}


def attributes(node: onnx.NodeProto, opset: int, shapes: Sequence[Sequence[int] | None]) -> dict[str, Any]:
    """Every attribute that changes the result, defaults written out and `auto_pad` as explicit `pads`.

    Args:
        node: the node.
        opset: version of the default operator set.
        shapes: shapes of its inputs; None where unknown.
    """
    values = {attribute.name: _plain(helper.get_attribute_value(attribute)) for attribute in node.attribute}
    if node.domain in ("", "ai.onnx") and defs.has(node.op_type, opset, ""):
        for name, attribute in defs.get_schema(node.op_type, opset, "").attributes.items():
            if name not in values and attribute.default_value.type != onnx.AttributeProto.UNDEFINED:
                values[name] = _plain(helper.get_attribute_value(attribute.default_value))
    if node.op_type in _WINDOWED:
        _complete_window(node, values, shapes)
    if node.op_type == "Transpose" and "perm" not in values and shapes[0] is not None:
        values["perm"] = list(reversed(range(len(shapes[0]))))
    return {name: value for name, value in values.items() if name not in _WITHOUT_EFFECT}


def _complete_window(node: onnx.NodeProto, values: dict[str, Any], shapes: Sequence[Sequence[int] | None]) -> None:
    data = shapes[0]
    weights = shapes[1] if len(shapes) > 1 else None
    if "kernel_shape" not in values and weights is not None:
        values["kernel_shape"] = list(weights[2:])
    kernel = values.get("kernel_shape")
    if kernel is None:
        return
    rank = len(kernel)
    values.setdefault("strides", [1] * rank)
    values.setdefault("dilations", [1] * rank)
    mode = values.pop("auto_pad", "NOTSET")
    if mode in ("SAME_UPPER", "SAME_LOWER") and data is not None and node.op_type != "ConvTranspose":
        values["pads"] = same_pads(mode, list(data[2:]), kernel, values["strides"], values["dilations"])
    elif mode in ("NOTSET", "VALID"):
        values.setdefault("pads", [0] * (2 * rank))
    else:
        values["auto_pad"] = mode


def same_pads(mode: str, size: list[int], kernel: list[int], strides: list[int], dilations: list[int]) -> list[int]:
    """Pads of SAME (ONNX Conv, auto_pad): output = ceil(size / stride); the odd one behind for UPPER, in front for LOWER."""
    begin, end = [], []
    for length, window, stride, dilation in zip(size, kernel, strides, dilations, strict=True):
        reach = (window - 1) * dilation + 1
        total = max((-(-length // stride) - 1) * stride + reach - length, 0)
        half = total // 2
        begin.append(half if mode == "SAME_UPPER" else total - half)
        end.append(total - half if mode == "SAME_UPPER" else half)
    return begin + end


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, onnx.TensorProto):
        return onnx.numpy_helper.to_array(value).tolist()
    if isinstance(value, onnx.GraphProto):
        return value.SerializeToString().hex()
    return (
        list(value)
        if isinstance(value, list | tuple) or (hasattr(value, "__len__") and not isinstance(value, str))
        else value
    )
