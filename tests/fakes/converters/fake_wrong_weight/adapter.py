"""Changes one weight of many."""

from __future__ import annotations

import numpy as np
import onnx

from .._export import export, reply


def convert(request):
    step = export(request)
    model = onnx.load(step.target)
    weight = max(model.graph.initializer, key=lambda tensor: len(tensor.dims))
    values = onnx.numpy_helper.to_array(weight).copy()
    values.flat[0] += 0.5
    weight.CopyFrom(onnx.numpy_helper.from_array(np.ascontiguousarray(values), weight.name))
    onnx.save(model, step.target)
    return reply()
