"""Keras → ONNX with `onnxmltools.convert_keras`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx

if not hasattr(np, "object"):  # the tf2onnx that it calls says np.object, which numpy 2 no longer has
    np.object = object  # type: ignore[attr-defined]

import onnxmltools
from onnxmltools.convert.common import data_types

from safeconvert.adapter_api.protocol import ConvertRequest

from .._shared.keras_files import as_functional, open_keras
from .._shared.plain_trace import plainly_traced
from .._shared.tf2onnx_lean import optimized_in_place
from .._shared.tf2onnx_moves import recorded_moves

_OPSET = 17


def convert(request: Mapping[str, Any]) -> dict[str, Any]:
    """Convert; every input keeps its order of dimensions, but those that the arguments want channels first."""
    step = ConvertRequest.from_json(request)
    own = {key: value for key, value in step.arguments.items() if value is not None}
    name = own.pop("name", None)
    if "initial_types" in own:
        own["initial_types"] = [(n, getattr(data_types, kind)(shape)) for n, kind, shape in own["initial_types"]]
    opset = step.opset or (None if step.arguments else _OPSET)
    with recorded_moves() as moves, plainly_traced():
        source = as_functional(open_keras(step.model))
        model = optimized_in_place(lambda: onnxmltools.convert_keras(source, target_opset=opset, **own))
    moves.require_all()
    if name:  # onnxmltools 1.16 passes it over
        model.graph.name = name
    onnx.save(model, step.target)
    onnx.checker.check_model(step.target)
    return moves.reply(model, step.signature).to_json()
