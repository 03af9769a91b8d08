"""ONNX files with one weight of an operator changed, as a wrong exporter would write them."""

from __future__ import annotations

from pathlib import Path

import onnx

from safeconvert.core.resources import data_folder
from safeconvert.workers._worker import load_adapter


def exported(name: str, request: dict, operators: tuple[str, ...]) -> dict:
    """What the real exporter of a name makes, the first weight of the first node of these operators changed."""
    reply = load_adapter(str(Path(data_folder("adapters")) / name)).convert(request)
    model = onnx.load(request["target"])
    held = {tensor.name: tensor for tensor in model.graph.initializer}
    node = next(node for node in model.graph.node if node.op_type in operators and node.input[1] in held)
    weight = held[node.input[1]]
    values = onnx.numpy_helper.to_array(weight).copy()
    values.flat[0] += 0.5
    weight.CopyFrom(onnx.numpy_helper.from_array(values, weight.name))
    onnx.save(model, request["target"])
    return reply
