"""A Keras model rewritten so that TensorFlow's converter takes it: recurrent layers step by step, 16-bit layers in float32."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

_LONGEST = 256  # steps that are written out: a graph of some ten operators each
_HALF = ("float16", "bfloat16")


def unrolled(model: Any) -> tuple[str, ...]:
    """Set every recurrent layer of a model to be written out step by step, where its length is fixed; names of those layers.

    The converter has no loop over a free batch without operators of TensorFlow's own ("TensorListReserve").
    """
    layers = [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.RNN) and not layer.unroll]
    lengths = {tensor.shape[1] for tensor in _inputs(model) if len(tensor.shape) >= 2}
    if not layers or any(length is None or length > _LONGEST for length in lengths):
        return ()
    for layer in layers:
        layer.unroll = True
        if layer.go_backwards and layer.zero_output_for_mask:
            layer.inner_loop = _reading_forwards(layer)
    return tuple(layer.name for layer in layers)


def _reading_forwards(layer: Any) -> Callable[..., Any]:
    """The steps of a layer that reads backwards, as those of one that reads reversed inputs.

    Written out, Keras 3.15 reverses inputs and mask, and then sets outputs to zero by the mask as it was.
    """
    steps = layer.inner_loop

    def inner_loop(sequences: Any, initial_state: Any, mask: Any, training: bool = False) -> Any:
        if mask is None:
            return steps(sequences, initial_state, mask, training)
        layer.go_backwards = False
        try:
            return steps(keras.ops.flip(sequences, 1), initial_state, keras.ops.flip(mask, 1), training)
        finally:
            layer.go_backwards = True

    return inner_loop


def half_types(model: Any) -> tuple[str, ...]:
    """The 16-bit types that layers of a model compute in."""
    return tuple(sorted({layer.compute_dtype for layer in model._flatten_layers()} & set(_HALF)))


def in_float32(model: Any) -> Any:
    """The same model with every layer computing in float32."""
    made = type(model).from_config(_widened(model.get_config()))
    made.set_weights(
        [weight.astype("float32") if weight.dtype.kind not in "iub" else weight for weight in model.get_weights()]
    )
    return made


def _inputs(model: Any) -> list[Any]:
    """What recurrent layers read."""
    found = []
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.RNN | keras.layers.Bidirectional):
            try:
                found.extend(keras.tree.flatten(layer.input))
            except (AttributeError, ValueError):  # one inside another layer, whose input is that one's
                continue
    return found


def _widened(config: Any) -> Any:
    """A configuration with float32 in place of policies and types of 16 bits."""
    if isinstance(config, dict):
        if config.get("class_name") == "DTypePolicy":
            name = str(config["config"].get("name", ""))
            return {**config, "config": {"name": "float32"}} if name.endswith(_HALF) else config
        return {
            key: "float32"
            if key == "dtype" and value in (*_HALF, "mixed_float16", "mixed_bfloat16")
            else _widened(value)
            for key, value in config.items()
        }
    if isinstance(config, list | tuple):
        return type(config)(_widened(item) for item in config)
    return config
