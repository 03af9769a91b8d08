"""Replace the Lambda layers that onnx2keras writes: a file with Lambdas neither loads with `safe_mode=True` nor stands alone."""

from __future__ import annotations

from typing import Any

import keras

from .._shared.tf_to_keras_ops import apply_as_keras_ops


def without_lambdas(model: Any) -> Any:
    """The same model with every Lambda expressed in `keras.ops`.

    Raises:
        NotImplementedError: a Lambda holds an operator without a translation; the message names both.
    """
    if not any(isinstance(layer, keras.layers.Lambda) for layer in model.layers):
        return model

    def call(layer: Any, *arguments: Any, **keywords: Any) -> Any:
        if not isinstance(layer, keras.layers.Lambda):
            return layer(*arguments, **keywords)
        try:
            return apply_as_keras_ops(layer.function, arguments[0])
        except NotImplementedError as error:
            raise NotImplementedError(f"layer {layer.name}: {error}") from error

    return keras.models.clone_model(model, clone_function=lambda layer: layer, call_function=call)
