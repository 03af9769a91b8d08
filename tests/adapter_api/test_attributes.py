"""Which layer an attribute belongs to: by weights, by being the only one, by its place; never by chance."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from safeconvert.adapter_api.attributes import Layer, set_attributes
from safeconvert.adapter_api.changes import AttributeChange, Changes
from safeconvert.errors import UnusableInput

KERNELS = [np.arange(36, dtype=np.float32).reshape(3, 3, 2, 2) + place for place in range(2)]


def layers(put: dict[str, Any], slopes: list[float]) -> list[Layer]:
    made = []
    for place, slope in enumerate(slopes):
        for name, operator, settings, weights in (
            (f"conv{place}", "Conv", {"strides": [1, 1]}, (KERNELS[place],)),
            (f"relu{place}", "LeakyRelu", {"alpha": slope}, ()),
        ):

            def setter(attribute: str, value: Any, name: str = name) -> None:
                put[name] = (attribute, value)

            made.append(Layer(name, operator, settings, weights, setter))
    return made


def test_a_layer_is_known_by_its_weights_in_any_order_of_axes() -> None:
    put: dict[str, Any] = {}
    change = AttributeChange("Conv", "strides", [1, 1], [2, 2], 0, 2, (KERNELS[1].transpose(3, 2, 0, 1),))
    set_attributes(layers(put, [0.1, 0.1]), [change])
    assert put == {"conv1": ("strides", [2, 2])}


def test_a_layer_without_weights_is_known_by_its_place() -> None:
    put: dict[str, Any] = {}
    set_attributes(layers(put, [0.1, 0.1]), [AttributeChange("LeakyRelu", "alpha", np.float32(0.1).item(), 0.3, 1, 2)])
    assert put == {"relu1": ("alpha", 0.3)}
    put.clear()
    set_attributes(layers(put, [0.3, 0.1]), [AttributeChange("LeakyRelu", "alpha", 0.1, 0.3, 0, 1)])
    assert put == {"relu1": ("alpha", 0.3)}


@pytest.mark.parametrize(
    "change",
    [
        AttributeChange("LeakyRelu", "alpha", 0.1, 0.3, 0, 1),
        AttributeChange("LeakyRelu", "alpha", 0.2, 0.3, 0, 1),
        AttributeChange("Conv", "strides", [1, 1], [2, 2], 0, 2, (KERNELS[0] + 0.5,)),
        AttributeChange("Conv", "group", 1, 2, 0, 2, (KERNELS[0],)),
    ],
)
def test_what_is_not_one_layer_is_refused_and_nothing_set(change: AttributeChange) -> None:
    put: dict[str, Any] = {}
    with pytest.raises(UnusableInput):
        set_attributes(layers(put, [0.1, 0.1]), [change])
    assert put == {}


def test_changes_survive_their_file(tmp_path: Path) -> None:
    change = AttributeChange("Conv", "pads", [0, 0, 1, 1], None, 1, 3, (KERNELS[0], KERNELS[1]))
    Changes(((KERNELS[0], KERNELS[1]),), (change,)).save(tmp_path / "changes.npz")
    read = Changes.load(tmp_path / "changes.npz")
    ((old, new),) = read.constants
    assert np.array_equal(old, KERNELS[0]) and np.array_equal(new, KERNELS[1])
    (again,) = read.attributes
    assert (again.operator, again.name, again.old, again.new, again.position, again.of) == (
        "Conv",
        "pads",
        [0, 0, 1, 1],
        None,
        1,
        3,
    )
    assert all(np.array_equal(a, b) for a, b in zip(again.weights, change.weights, strict=True))
