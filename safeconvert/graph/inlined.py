"""A graph without functions of its own: who looks at its nodes sees what these compute."""

from __future__ import annotations

import onnx
from onnx import inliner


def inlined(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model with the nodes of its functions in their callers' places; the model itself where it has none."""
    return inliner.inline_local_functions(model) if model.functions else model
