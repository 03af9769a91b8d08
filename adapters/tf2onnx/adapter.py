"""Keras, SavedModel, frozen graph, TFLite → ONNX with tf2onnx's Python entry points."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import tensorflow as tf

if not hasattr(np, "object"):  # tf2onnx 1.17 still says np.object, which numpy 2 no longer has
    np.object = object  # type: ignore[attr-defined]

import tf2onnx

from safeconvert.adapting import UNCHANGED, ConvertRequest
from safeconvert.formats import detect

from .._shared.keras_files import as_functional, open_keras
from .._shared.tf_files import open_tf

_OPSET = 17


def convert(request: Mapping[str, Any]) -> dict[str, Any]:
    """Convert by the form of the source; every input keeps its order of dimensions."""
    step = ConvertRequest.from_json(request)
    opset = step.opset or _OPSET
    source = detect(step.model.path)
    if source.format == "tflite":
        model, _ = tf2onnx.convert.from_tflite(step.model.path, opset=opset)
    elif source.format == "tf":
        model = _from_tf(step, opset)
    else:
        keras_model = as_functional(open_keras(step.model))
        specs = [tf.TensorSpec(tensor.shape, tensor.dtype, name=tensor.name) for tensor in keras_model.inputs]
        model, _ = tf2onnx.convert.from_keras(keras_model, input_signature=specs, opset=opset)
    onnx.save(model, step.target)
    onnx.checker.check_model(step.target)
    return UNCHANGED.to_json()


def _from_tf(step: ConvertRequest, opset: int) -> onnx.ModelProto:
    file = open_tf(step.model)
    if not file.signature_key:
        graph_def = tf.compat.v1.GraphDef()
        graph_def.ParseFromString(Path(step.model.path).read_bytes())
        inputs, outputs = file.tensor_names
        model, _ = tf2onnx.convert.from_graph_def(
            graph_def, input_names=list(inputs), output_names=list(outputs), opset=opset
        )
        return model
    names = list(file.inputs)
    specs = [tf.TensorSpec(spec.shape, spec.dtype, name=name) for name, spec in file.inputs.items()]

    @tf.function(input_signature=specs)
    def call(*arguments: Any) -> Any:
        outputs = file.function(**dict(zip(names, arguments, strict=True)))
        return {name: outputs[name] for name in file.outputs}

    model, _ = tf2onnx.convert.from_function(call, input_signature=specs, opset=opset)
    return model
