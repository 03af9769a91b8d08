"""Keep onnx2keras' change_ordering to the tensors that have an image layout."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import onnx2keras.converter


@contextmanager
def axes_by_rank() -> Iterator[None]:
    """While active, layers on tensors of rank 2 keep their axes.

    onnx2keras 0.0.25 maps the axes of every layer from NCHW to NHWC, also where there is nothing but batch and features:
    a Softmax or Concatenate over axis 1 of (N, K) becomes one over axis 3, and the conversion dies.
    """
    original = onnx2keras.converter._clone_layer_channels_last

    def clone(layer: Any, lambda_funcs: dict[str, Any]) -> Any:
        tensors = layer.input if isinstance(layer.input, list) else [layer.input]
        if all(len(tensor.shape) <= 2 for tensor in tensors) and _keeps_rank(layer):
            if layer.name in lambda_funcs:
                return original(layer, {})
            return layer.__class__.from_config(layer.get_config())
        return original(layer, lambda_funcs)

    onnx2keras.converter._clone_layer_channels_last = clone
    try:
        yield
    finally:
        onnx2keras.converter._clone_layer_channels_last = original


def _keeps_rank(layer: Any) -> bool:
    return not isinstance(layer.output, list) and len(layer.output.shape) <= 2
