"""Keras → SavedModel or ONNX with `model.export`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx

from safeconvert.adapter_api.protocol import UNCHANGED, ConvertRequest

from .._shared.keras_files import open_keras
from .._shared.keras_named import by_output_name

if not hasattr(np, "object"):  # the tf2onnx that Keras calls says np.object, which numpy 2 no longer has
    np.object = object  # type: ignore[attr-defined]


def convert(request: Mapping[str, Any]) -> dict[str, Any]:
    """Export; the target's suffix says to what."""
    step = ConvertRequest.from_json(request)
    model = open_keras(step.model)
    if step.target.endswith(".onnx"):
        # a model that was loaded and never called is refused ("The model provided has never called", keras 3.15)
        model([np.zeros([size or 1 for size in tensor.shape], tensor.dtype) for tensor in model.inputs])
        from .._shared.plain_trace import plainly_traced
        from .._shared.tf2onnx_lean import optimized_in_place

        opset = step.opset or None
        with plainly_traced():
            optimized_in_place(lambda: model.export(step.target, format="onnx", opset_version=opset, verbose=False))
        onnx.checker.check_model(step.target)
    else:
        if step.signature is None:  # a converter made it and gave its outputs the source's names
            model, _ = by_output_name(model)
        model.export(step.target, format="tf_saved_model", verbose=False, **_scalars_as_they_are(model))
    return UNCHANGED.to_json()


def _scalars_as_they_are(model: Any) -> dict[str, Any]:
    """The inputs' signature where one has no dimensions: Keras 3.15 exports that as a vector, which the model refuses."""
    if all(len(tensor.shape) for tensor in model.inputs):
        return {}
    import keras
    import tensorflow as tf

    def spec(tensor: Any) -> Any:
        shape = (None, *tensor.shape[1:]) if len(tensor.shape) else ()
        return tf.TensorSpec(shape, tensor.dtype, tensor.name)

    return {"input_signature": [keras.tree.map_structure(spec, model.input)]}
