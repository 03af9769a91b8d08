"""Find the layer of a native model that an ONNX node with a wrong attribute came from. Runs in workers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from safeconvert.adapter_api.changes import AttributeChange
from safeconvert.compare.relation import find
from safeconvert.errors import UnusableInput

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Layer:
    """A layer of a native model whose attributes can be set.

    Attributes:
        name: for messages.
        operator: the ONNX operator that it becomes.
        attributes: in ONNX's terms, defaults written out; what is absent cannot be set here.
        weights: its own, of two dimensions and more.
        put: sets one attribute; raises UnusableInput where the framework cannot express the value.
    """

    name: str
    operator: str
    attributes: Mapping[str, Any]
    weights: tuple[Array, ...]
    put: Callable[[str, Any], None]


def set_attributes(layers: Sequence[Layer], changes: Iterable[AttributeChange]) -> None:
    """Set each changed attribute in the layer that it belongs to.

    A layer is known by its weights; one without by being the only one with the old value, or by its position among as many
    as the graph has.

    Raises:
        UnusableInput: no layer, or several, could be meant; or the framework cannot express the value.
    """
    chosen = [(_layer(layers, change), change) for change in changes]
    for layer, change in chosen:
        layer.put(change.name, change.new)


def _layer(layers: Sequence[Layer], change: AttributeChange) -> Layer:
    fitting = [
        layer
        for layer in layers
        if layer.operator == change.operator
        and change.name in layer.attributes
        and same_value(layer.attributes[change.name], change.old)
    ]
    what = f"{change.operator} with {change.name} {change.old}"
    if change.weights:
        fitting = [layer for layer in fitting if _shares_weights(layer, change)]
        if len(fitting) != 1:
            raise UnusableInput(f"{len(fitting)} layers of the target are the {what} with these weights, not one")
        return fitting[0]
    if len(fitting) != change.of:
        raise UnusableInput(f"the target has {len(fitting)} layers that are a {what}, its ONNX form {change.of}")
    return fitting[change.position]


def same_value(one: Any, two: Any) -> bool:
    """Whether two attribute values are the same: numbers within float32, lists by element."""
    if isinstance(one, list | tuple) and isinstance(two, list | tuple):
        return len(one) == len(two) and all(same_value(a, b) for a, b in zip(one, two, strict=True))
    if isinstance(one, float) or isinstance(two, float):
        return bool(np.float32(one) == np.float32(two))
    return bool(one == two)


def _shares_weights(layer: Layer, change: AttributeChange) -> bool:
    return all(
        any(
            weight.size == own.size
            and np.array_equal(np.sort(weight.ravel()), np.sort(own.ravel()))
            and find([weight], [own], 0.0) is not None
            for own in layer.weights
        )
        for weight in change.weights
    )
