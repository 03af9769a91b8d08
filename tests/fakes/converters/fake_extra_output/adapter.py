"""Adds an output."""

from __future__ import annotations

import onnx

from .._export import export, reply


def convert(request):
    step = export(request)
    model = onnx.load(step.target)
    model.graph.node.append(onnx.helper.make_node("Neg", ["output"], ["negated"]))
    model.graph.output.append(onnx.helper.make_tensor_value_info("negated", 1, ["batch", 10]))
    onnx.save(model, step.target)
    return reply()
