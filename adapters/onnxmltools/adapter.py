"""Keras → ONNX with `onnxmltools.convert_keras`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx

if not hasattr(np, "object"):  # the tf2onnx that it calls says np.object, which numpy 2 no longer has
    np.object = object  # type: ignore[attr-defined]

import onnxmltools

from safeconvert.adapting import UNCHANGED, ConvertRequest

from .._shared.keras_files import as_functional, open_keras

_OPSET = 17


def convert(request: Mapping[str, Any]) -> dict[str, Any]:
    """Convert; every input keeps its order of dimensions."""
    step = ConvertRequest.from_json(request)
    model = onnxmltools.convert_keras(as_functional(open_keras(step.model)), target_opset=step.opset or _OPSET)
    onnx.save(model, step.target)
    onnx.checker.check_model(step.target)
    return UNCHANGED.to_json()
