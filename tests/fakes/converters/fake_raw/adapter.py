"""onnx2keras without the rules of its adapter; images go channels last."""

from typing import Any

import onnx
from onnx2keras import onnx_to_keras


def convert(request: dict[str, Any]) -> dict[str, Any]:
    """Convert a graph that takes and gives one image."""
    model = onnx.load(request["model"]["path"])
    (value,) = model.graph.input
    made = onnx_to_keras(model, [value.name], change_ordering=True, verbose=False)
    made.save(request["target"])
    return {"inputs": [[0, 2, 3, 1]], "outputs": [[0, 2, 3, 1]], "notes": []}
