"""Where an ONNX model's data lie, for every tensor of the file: initializers, attributes, sparse values, functions, subgraphs."""

from __future__ import annotations

from pathlib import Path

import onnx

from safeconvert.core.tensors import place_of
from safeconvert.errors import UnusableInput
from safeconvert.graph.stored import external_tensors

_ADVICE = "save the model with its data beside it (onnx.save(…, save_as_external_data=True)), or within it"


def require_own_data(path: Path, model: onnx.ModelProto) -> None:
    """Raise UnusableInput where a tensor's data are missing, or anywhere but in a plain file of the model's folder.

    ONNX Runtime takes the last of several locations that is not empty, onnx the last one, and a location with `_ORT_MEM_ADDR_` is for
    ONNX Runtime an address in its own memory.
    """
    folder = path.parent.resolve()
    for tensor in external_tensors(model):
        locations = [entry.value for entry in tensor.external_data if entry.key == "location"]
        if len(locations) != 1 or len({entry.key for entry in tensor.external_data}) < len(tensor.external_data):
            raise UnusableInput(
                f"{path}: initializer {tensor.name} says {len(locations)} times where its data lie; refused", _ADVICE
            )
        try:
            place_of(tensor)
        except OSError as error:
            raise UnusableInput(f"{path}: {error}; refused", _ADVICE) from error
        (location,) = locations
        if "*" in location or not (path.parent / location).resolve().is_relative_to(folder):
            raise UnusableInput(
                f"{path}: initializer {tensor.name} points to {location}, outside the model's folder; refused", _ADVICE
            )
        if not (path.parent / location).is_file():
            raise UnusableInput(f"{path}: external data {location} of initializer {tensor.name} is missing")
