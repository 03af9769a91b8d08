"""The attributes of a Keras model's layers in ONNX's terms, and a model with other ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from safeconvert.adapter_api.attributes import Layer, set_attributes
from safeconvert.adapter_api.changes import AttributeChange
from safeconvert.errors import UnusableInput
from safeconvert.graph.attributes import same_pads

L = keras.layers
_CONVOLUTIONS = (L.Conv1D, L.Conv2D, L.Conv3D, L.DepthwiseConv1D, L.DepthwiseConv2D)
_POOLINGS = {
    L.MaxPooling1D: "MaxPool",
    L.MaxPooling2D: "MaxPool",
    L.MaxPooling3D: "MaxPool",
    L.AveragePooling1D: "AveragePool",
    L.AveragePooling2D: "AveragePool",
    L.AveragePooling3D: "AveragePool",
}
_NUMBERS = {
    (L.LeakyReLU, "alpha"): ("LeakyRelu", "negative_slope"),
    (L.ELU, "alpha"): ("Elu", "alpha"),
    (L.BatchNormalization, "epsilon"): ("BatchNormalization", "epsilon"),
    (L.ReLU, "max"): ("Clip", "max_value"),
}
_WINDOW = {"strides": "strides", "dilations": "dilation_rate", "kernel_shape": "pool_size"}


def with_attributes(model: Any, changes: Sequence[AttributeChange]) -> Any:
    """A model of the same layers and weights, with the attributes changed.

    Raises:
        UnusableInput: a changed attribute is not one layer's setting.
    """
    overrides: dict[str, dict[str, Any]] = {}
    layers = [
        found
        for layer in model._flatten_layers(include_self=False)
        if (found := _described(layer, overrides)) is not None
    ]
    set_attributes(layers, changes)

    def rebuilt(layer: Any) -> Any:
        return type(layer).from_config({**layer.get_config(), **overrides.get(layer.name, {})})

    clone = keras.models.clone_model(model, clone_function=rebuilt)
    clone.set_weights(model.get_weights())
    return clone


def _described(layer: Any, overrides: dict[str, dict[str, Any]]) -> Layer | None:
    """A layer in ONNX's terms; None where no attribute of it is known here."""
    config = layer.get_config()
    weights = tuple(array for array in layer.get_weights() if np.ndim(array) >= 2)
    own = overrides.setdefault(layer.name, {})
    pooling = _POOLINGS.get(type(layer))
    if pooling or isinstance(layer, _CONVOLUTIONS):
        return Layer(layer.name, pooling or "Conv", _window(layer, config), weights, _window_setter(layer, config, own))
    for (kind, attribute), (operator, name) in _NUMBERS.items():
        if type(layer) is kind and config.get(name) is not None:

            def put(changed: str, value: Any, name: str = name) -> None:
                own[name] = value

            return Layer(layer.name, operator, {attribute: config[name]}, weights, put)
    return None


def _window(layer: Any, config: dict[str, Any]) -> dict[str, Any]:
    settings = {onnx: list(config[name]) for onnx, name in _WINDOW.items() if name in config}
    pads = _pads(layer, config, config["padding"])
    if pads is not None:
        settings["pads"] = pads
    return settings


def _pads(layer: Any, config: dict[str, Any], padding: str) -> list[int] | None:
    """The pads of a padding mode as ONNX writes them; None where they depend on a free size."""
    window = list(config.get("pool_size") or config["kernel_size"])
    if padding == "valid":
        return [0] * (2 * len(window))
    shape = layer.input.shape
    sizes = list(shape[1:-1] if config["data_format"] == "channels_last" else shape[2:])
    if padding != "same" or None in sizes:
        return None
    return same_pads(
        "SAME_UPPER", sizes, window, list(config["strides"]), list(config.get("dilation_rate", [1] * len(window)))
    )


def _window_setter(layer: Any, config: dict[str, Any], own: dict[str, Any]) -> Any:
    def put(name: str, value: Any) -> None:
        if name in _WINDOW:
            own[_WINDOW[name]] = tuple(value)
            return
        fitting = [mode for mode in ("valid", "same") if _pads(layer, {**config, **own}, mode) == list(value)]
        if not fitting:
            raise UnusableInput(f"layer {layer.name}: no padding mode of Keras is pads {value}")
        own["padding"] = fitting[0]

    return put
