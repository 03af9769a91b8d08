"""Write constants of one value a channel as BatchNormalization."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper, numpy_helper

from safeconvert.graph.constants import Constants
from safeconvert.graph.shapes import inferred_shapes


def rewrite(model: onnx.ModelProto, reads: frozenset[str]) -> onnx.ModelProto:
    """Write Mul, Add, Sub or Div of a rank-4 tensor and a constant of one value a channel as a BatchNormalization.

    onnx2keras 0.0.25 leaves such constants in NCHW shape when it reorders ("incompatible shapes (32, 32, 16) and
    (16, 1, 1)"). With mean 0, variance 1 and epsilon 0 the operator is exactly scale · x + bias.
    """
    graph = model.graph
    values = Constants(graph)
    shapes = inferred_shapes(model)
    for node in graph.node:
        if node.op_type not in ("Mul", "Add", "Sub", "Div") or len(node.input) != 2:
            continue
        data, constant = node.input
        turned = data in values
        if turned:
            data, constant = constant, data
        value, shape = values.get(constant), shapes.get(data)
        if value is None or data in values or shape is None or len(shape) != 4 or shape[1] is None:
            continue
        channels = int(shape[1])
        if value.dtype != np.float32 or value.size != channels or value.shape[-3:] != (channels, 1, 1):
            continue
        if node.op_type == "Div" and (turned or not value.all()):
            continue
        flat = value.reshape(-1)
        one, nothing = np.ones(channels, np.float32), np.zeros(channels, np.float32)
        scale, bias = {
            "Mul": (flat, nothing), "Add": (one, flat), "Sub": (-one, flat) if turned else (one, -flat),
            "Div": (np.divide(one, flat, out=one.copy(), where=flat != 0), nothing),
        }[node.op_type]  # fmt: skip
        parameters = {"scale": scale, "bias": bias, "mean": np.zeros_like(flat), "variance": np.ones_like(flat)}
        names = [f"{node.output[0]}_{key}" for key in parameters]
        graph.initializer.extend(map(numpy_helper.from_array, parameters.values(), names))
        node.CopyFrom(helper.make_node("BatchNormalization", [data, *names], list(node.output), node.name, epsilon=0.0))
    return model
