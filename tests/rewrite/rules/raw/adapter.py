"""A raw converter on one ONNX file, run on one set of inputs; what comes out is channels second. Runs in a worker."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx


def run(converter: str, model: str, inputs: str, outputs: str) -> str:
    """Convert, run, save the outputs to an `.npz`. Returns why that failed, "" where it did not."""
    with np.load(inputs) as archive:
        fed = [archive[name] for name in archive.files]
    try:
        made = {"onnx2keras": _keras, "onnx2torch": _torch}[converter](onnx.load(model), fed)
    except Exception as error:  # noqa: BLE001 - a raw converter raises anything
        return f"{type(error).__name__}: {error}"
    np.savez(outputs, *made)
    return ""


def _keras(model: onnx.ModelProto, fed: list[Any]) -> list[Any]:
    import keras
    from onnx2keras import onnx_to_keras

    from safeconvert.graph.boundary_transposes import has_layout

    keras.backend.clear_session()
    reorder = has_layout(model)
    known = {tensor.name for tensor in model.graph.initializer}
    names = [value.name for value in model.graph.input if value.name not in known]
    converted = onnx_to_keras(model, names, change_ordering=reorder, verbose=False)
    made = converted([np.moveaxis(array, 1, -1) if reorder and array.ndim > 2 else array for array in fed])
    parts = [np.asarray(part) for part in (made if isinstance(made, (list, tuple)) else [made])]
    return [np.moveaxis(part, -1, 1) if reorder and part.ndim > 2 else part for part in parts]


def _torch(model: onnx.ModelProto, fed: list[Any]) -> list[Any]:
    import torch

    for name in ("nms", "qnms"):
        if not hasattr(torch.ops.torchvision, name):
            torch.library.define(f"torchvision::{name}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    from onnx2torch import convert

    with torch.no_grad():
        made = convert(model).eval()(*map(torch.from_numpy, fed))
    return [np.asarray(part) for part in (made if isinstance(made, (list, tuple)) else [made])]
