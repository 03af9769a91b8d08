"""A Keras file's configuration and weights: a .keras archive, or an .h5 file."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np

from safeconvert.prove.kernel.terms import Array, Refused

Configuration = Mapping[str, Any]
Weights = Callable[[str, Sequence[str]], list[Array]]
"""The arrays of a layer by its name, those of its parts one after another; an own array of a layer is of the part ""."""


_KINDS = [np.dtype(kind) for kind in (np.float32, np.int32, np.int64)]


@dataclass(frozen=True)
class Archive:
    """What a file holds: the model's configuration, and weights of the layers of this model by the place of the model in the file."""

    configuration: Configuration
    weights: Callable[[str, Sequence[Configuration]], Weights]


def opened(content: bytes) -> Archive:
    """Open a file. Raises Refused for what is no Keras file."""
    if zipfile.is_zipfile(io.BytesIO(content)):
        with zipfile.ZipFile(io.BytesIO(content)) as held:
            configuration = json.loads(held.read("config.json"))
            file = h5py.File(io.BytesIO(held.read("model.weights.h5")), "r")
        return Archive(configuration, lambda place, layers: _in_archive(file, place, layers))
    file = h5py.File(io.BytesIO(content), "r")
    if "model_config" not in file.attrs:
        raise Refused("no configuration of a model")
    return Archive(json.loads(file.attrs["model_config"]), lambda place, layers: _by_name(file["model_weights"], place))


def snake_case(name: str) -> str:
    """A class' name as .keras archives write it."""
    parted = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", name))
    return re.sub("([a-z])([A-Z])", r"\1_\2", parted).lower()


def places_of(place: str, layers: Sequence[Configuration]) -> dict[str, str]:
    """Where an archive holds each layer's weights: layers of one class are numbered in their order."""
    counts: dict[str, int] = {}
    found = {}
    for layer in layers:
        name = snake_case(layer["class_name"])
        number = counts[name] = counts.get(name, -1) + 1
        found[str(layer["config"]["name"])] = f"{place}layers/{name}_{number}/" if number else f"{place}layers/{name}/"
    return found


def _in_archive(file: h5py.File, place: str, layers: Sequence[Configuration]) -> Weights:
    places = places_of(place, layers)

    def weights(name: str, parts: Sequence[str]) -> list[Array]:
        found = []
        for part in parts:
            path = f"{places[name]}{part}/vars" if part else f"{places[name]}vars"
            group = file.get(path, {})
            if not part and group and str(group.attrs.get("name", name)) != name:
                raise Refused(f"the layer {name} has the weights of {group.attrs['name']}")
            found += [_array(group[key]) for key in sorted(group, key=int)]
        return found

    return weights


def _by_name(group: h5py.Group, place: str) -> Weights:
    if place:
        raise Refused("a model within a model, in an .h5 file")

    def weights(name: str, parts: Sequence[str]) -> list[Array]:
        held = group[name]
        return [_array(held[key.decode() if isinstance(key, bytes) else key]) for key in held.attrs["weight_names"]]

    return weights


def _array(held: Any) -> Array:
    if not isinstance(held, h5py.Dataset) or held.external or held.is_virtual or held.dtype not in _KINDS:
        raise Refused("weights that are neither float32 nor integers, or lie in another file")
    return np.asarray(held[()])
