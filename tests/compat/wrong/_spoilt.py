"""An ONNX file with one weight of many changed."""

from __future__ import annotations

import onnx


def spoil(path: str) -> None:
    """Change the first value of the weight with the most dimensions."""
    model = onnx.load(path)
    weight = max(model.graph.initializer, key=lambda tensor: len(tensor.dims))
    values = onnx.numpy_helper.to_array(weight).copy()
    values.flat[0] += 0.5
    weight.CopyFrom(onnx.numpy_helper.from_array(values, weight.name))
    onnx.save(model, path)
