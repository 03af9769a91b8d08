"""Runs Keras models natively, on the CPU, in inference mode."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from safeconvert.adapter_api.changes import Changes
from safeconvert.adapter_api.intermediates import Intermediate
from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.adapter_api.shapes import with_given_shapes
from safeconvert.adapter_api.weights import replacements
from safeconvert.core.signature import Signature, TensorSpec
from safeconvert.errors import UnusableInput

from .._shared.keras_files import open_keras
from .._shared.keras_variants import half_types
from .layers import with_attributes
from .observe import observe
from .part import cut, host_layers
from .predict import Predictor
from .purity import Watch

__all__ = ["cut", "host_code", "load", "patch"]


class KerasModel:
    """A Keras model with its signature."""

    def __init__(self, model: Any, request: ModelRequest) -> None:
        self._model = model
        self._predict = Predictor(model)
        self._nested_inputs = model._inputs_struct if hasattr(model, "_inputs_struct") else None
        layout = _layout(model)
        if not getattr(model, "inputs", None):
            raise UnusableInput(f"{request.path}: a Keras model that was never built declares no inputs")
        _require_numbers(model, request.path)
        inputs = tuple(_spec(tensor, layout) for tensor in model.inputs)
        names = list(getattr(model, "output_names", None) or [tensor.name for tensor in model.outputs])
        outputs = tuple(_spec(tensor, layout, name) for tensor, name in zip(model.outputs, _unique(names), strict=True))
        computed = next(iter(half_types(model)), "")
        outputs = tuple(
            replace(spec, computed=computed) if spec.dtype in ("float32", "float64") else spec for spec in outputs
        )
        self._signature = Signature(with_given_shapes(inputs, request), outputs)
        self._watch = Watch(model)

    def signature(self) -> Signature:
        """Inputs and outputs as the model declares them."""
        return self._signature

    def predict(self, feeds: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Outputs of one batch."""
        outputs = self._predict(self._packed([feeds[spec.name] for spec in self._signature.inputs]))
        return {spec.name: output for spec, output in zip(self._signature.outputs, outputs, strict=True)}

    def intermediates(self, feeds: dict[str, np.ndarray]) -> list[Intermediate]:
        """What its layers give; see `observe`."""
        ordered = [keras.ops.convert_to_tensor(feeds[spec.name]) for spec in self._signature.inputs]
        names = {id(tensor): spec.name for tensor, spec in zip(ordered, self._signature.inputs, strict=True)}
        return observe(self._model, self._packed(ordered), names)

    def impurities(self) -> list[str]:
        """What its outputs depend on beside its inputs; see `purity`."""
        return self._watch.found()

    def _packed(self, ordered: list[Any]) -> Any:
        if self._nested_inputs is None:
            return ordered
        return keras.tree.pack_sequence_as(self._nested_inputs, ordered)


def load(request: Mapping[str, Any]) -> KerasModel:
    """Open a Keras file."""
    model = ModelRequest.from_json(request)
    return KerasModel(open_keras(model), model)


def host_code(request: Mapping[str, Any]) -> dict[str, list[str]]:
    """The layers that look values up, and those to begin with behind them; see `host_layers`."""
    layers, begin = host_layers(open_keras(ModelRequest.from_json(request)))
    return {"layers": layers, "begin": begin}


def _require_numbers(model: Any, path: str) -> None:
    """Raise UnusableInput where an input takes strings; the message names the layer that reads them."""
    texts = [tensor.name for tensor in model.inputs if keras.backend.standardize_dtype(tensor.dtype) == "string"]
    if not texts:
        return
    readers, begin = host_layers(model)
    if not readers:
        raise UnusableInput(
            f"{path}: input {texts[0]} takes strings, and inputs are numbers",
            "convert the part behind them: --from LAYER, the first layer that reads numbers",
        )
    behind = " ".join(f"--from {name}" for name in begin) or "save the layers behind it as a model of their own"
    raise UnusableInput(
        f"{path}: input {texts[0]} takes strings, which layer {', '.join(readers)} looks up in a vocabulary: no converter has it",
        f"that is host code; convert the part behind it, fed with token ids: {behind}",
    )


def _layout(model: Any) -> str | None:
    """The data format that all layers agree on, or None."""
    formats = {layer.data_format for layer in model._flatten_layers() if getattr(layer, "data_format", None)}
    if len(formats) != 1:
        return None
    return "NHWC" if formats == {"channels_last"} else "NCHW"


def _spec(tensor: Any, layout: str | None, name: str = "") -> TensorSpec:
    shape = tuple(None if size is None else int(size) for size in tensor.shape)
    return TensorSpec(
        name or tensor.name,
        shape,
        keras.backend.standardize_dtype(tensor.dtype),
        layout if 4 <= len(shape) <= 5 else None,
    )


def _unique(names: list[str]) -> list[str]:
    return [name if names.count(name) == 1 else f"{name}_{position}" for position, name in enumerate(names)]


def patch(request: Mapping[str, Any], changes: str, target: str) -> None:
    """Write the model with other weights and attributes. Raises UnusableInput where a change is not found in it."""
    model = open_keras(ModelRequest.from_json(request))
    wanted = Changes.load(changes)
    if wanted.attributes:
        model = with_attributes(model, wanted.attributes)
    weights = {weight.path: weight for weight in model.weights}
    found = replacements({path: np.asarray(weight) for path, weight in weights.items()}, wanted.constants)
    for path, value in found.items():
        weights[path].assign(value)
    model.save(target)
