"""Bring a graph to an operator set that a converter reads."""

from __future__ import annotations

import onnx
from onnx import version_converter


def at_most(model: onnx.ModelProto, opset: int) -> onnx.ModelProto:
    """The model in the default operator set `opset`, where it is in a later one.

    Where onnx' version converter has no way down for some operator, the model is given back as it is: a converter may
    still read it, and says what it does not.
    """
    current = max((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), default=0)
    if current <= opset:
        return model
    try:
        return version_converter.convert_version(model, opset)
    except (RuntimeError, onnx.checker.ValidationError, version_converter.ConvertError):
        return model
