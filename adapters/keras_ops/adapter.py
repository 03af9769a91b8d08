"""ONNX → Keras without a converter: every operator said in keras.ops and Keras' own layers, saved as a `.keras` without code.

The last resort: for graphs that onnx2keras refuses. What Keras cannot express is refused by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safeconvert.adapter_api.protocol import UNCHANGED, ConvertRequest

from .._operators.read import plain
from .model import build


def convert(request: Mapping[str, Any]) -> dict[str, Any]:
    """Convert and save; no dimension of an input or output moves."""
    step = ConvertRequest.from_json(request)
    shapes = {spec.name: tuple(spec.shape) for spec in step.signature.inputs} if step.signature else {}
    build(plain(step.model.path), shapes).save(step.target)
    return UNCHANGED.to_json()
