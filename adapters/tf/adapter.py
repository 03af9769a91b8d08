"""Runs TensorFlow SavedModels, frozen graphs and checkpoints natively, on the CPU."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from safeconvert.adapter_api.changes import Changes
from safeconvert.adapter_api.intermediates import Intermediate
from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.adapter_api.shapes import with_given_shapes
from safeconvert.adapter_api.weights import replacements
from safeconvert.core.signature import Signature, TensorSpec
from safeconvert.errors import UnusableInput

from .._shared.tf_files import TfFile, open_tf
from .observe import observe
from .part import cut, host_scopes
from .purity import impurities

__all__ = ["cut", "host_code", "load", "patch"]
_SHOWN = 3
_ALIASES = {"serve", "serving_default"}


class TfModel:
    """A concrete function with its signature."""

    def __init__(self, file: TfFile, request: ModelRequest) -> None:
        self._file = file
        self._signature = Signature(
            with_given_shapes([_input(name, spec, request) for name, spec in file.inputs.items()], request),
            tuple(_spec(name, tensor) for name, tensor in file.outputs.items()),
        )

    def signature(self) -> Signature:
        """Inputs and outputs of the serving signature (SavedModel) or of the graph (frozen)."""
        return self._signature

    def predict(self, feeds: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Outputs of one batch."""
        outputs = self._file.function(**{name: tf.constant(array) for name, array in feeds.items()})
        return {name: outputs[name].numpy() for name in self._file.outputs}

    def intermediates(self, feeds: dict[str, np.ndarray]) -> list[Intermediate]:
        """What its operations give; see `observe`."""
        return observe(self._file, feeds)

    def impurities(self) -> list[str]:
        """What its outputs depend on beside its inputs; see `purity`."""
        return impurities(self._file)

    def others(self) -> list[str]:
        """Signatures beside the one that runs; Keras writes the same function as `serve` and as `serving_default`."""
        key = self._file.signature_key
        signatures = self._file.owner.signatures if key else ()
        own = _ALIASES if key in _ALIASES else {key}
        return sorted(name for name in signatures if name not in own and not name.startswith("_"))


def load(request: Mapping[str, Any]) -> TfModel:
    """Open a SavedModel folder, a frozen graph or a checkpoint."""
    model = ModelRequest.from_json(request)
    file = open_tf(model)
    _require_numbers(file, model.path)
    return TfModel(file, model)


def _require_numbers(file: TfFile, path: str) -> None:
    """Raise UnusableInput where an input takes strings; the message names the nodes that read them, and where to cut."""
    texts = [name for name, spec in file.inputs.items() if spec.dtype == tf.string]
    if not texts:
        return
    readers, begin = host_scopes(file, path)
    named = f", which {', '.join(readers[:_SHOWN])} read" if readers else ""
    flags = " ".join(f"--from {name}" for name in begin) or "--from NODE, the first node that reads numbers"
    raise UnusableInput(
        f"{path}: input {texts[0]} takes strings{named}: no converter has them",
        f"that is host code; convert the part behind it, fed with what it gives: {flags}",
    )


def host_code(request: Mapping[str, Any]) -> dict[str, list[str]]:
    """The nodes that look values up, and the scopes to begin with behind them; see `host_scopes`."""
    model = ModelRequest.from_json(request)
    layers, begin = host_scopes(open_tf(model), model.path)
    return {"layers": layers, "begin": begin}


def _input(name: str, tensor: Any, request: ModelRequest) -> TensorSpec:
    """An input's spec; one of unknown rank has the shape that the user gave."""
    given = request.input_shapes.get(name)
    if tensor.shape.rank is None and given is not None:
        tensor = tf.TensorSpec([None, *(size or None for size in given[1:])], tensor.dtype)
    return _spec(name, tensor)


def _spec(name: str, tensor: Any) -> TensorSpec:
    rank = tensor.shape.rank
    shape = tuple(tensor.shape.as_list()) if rank is not None else ()
    return TensorSpec(name, shape, tensor.dtype.name, "NHWC" if rank in (4, 5) else None, position=-1)


def patch(request: Mapping[str, Any], changes: str, target: str) -> None:
    """Write a SavedModel with other variables. Raises UnusableInput where a change is not one of a variable."""
    wanted = Changes.load(changes)
    if wanted.attributes:
        raise UnusableInput(f"{request['path']}: a SavedModel holds attributes in its traced functions")
    file = open_tf(ModelRequest.from_json(request))
    variables = {variable.name: variable for variable in file.function.variables} if file.signature_key else {}
    found = replacements({name: variable.numpy() for name, variable in variables.items()}, wanted.constants)
    for name, value in found.items():
        variables[name].assign(value)
    tf.saved_model.save(file.owner, target, signatures=dict(file.owner.signatures))
