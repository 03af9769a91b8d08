"""Targets that take other sizes or give more outputs: named, given the source's interface, verified."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.command import safeconvert

pytestmark = pytest.mark.converters

_SCRIPT = """
import os, sys
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
out = sys.argv[1]
import keras, tensorflow as tf
keras.utils.set_random_seed(0)
L = keras.layers
def net(size):
    x = keras.Input((size, size, 3), name="image")
    y = L.Conv2D(4, 3, activation="relu", name="conv")(x)
    z = L.Dense(5, name="head")(L.GlobalAveragePooling2D(name="pool")(y))
    return keras.Model(x, z), y
small, hidden = net(8)
large, _ = net(12)
large.set_weights(small.get_weights())
small.save(out + "/small.keras")
open(out + "/large.tflite", "wb").write(tf.lite.TFLiteConverter.from_keras_model(large).convert())
keras.Model(small.input, [hidden, small.output]).save(out + "/more.keras")
large.layers[1].bias.assign([0.5, 0.0, 0.0, 0.0])
large.save(out + "/large_wrong.keras")
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("interface")
    subprocess.run([sys.executable, "-c", _SCRIPT, str(folder)], check=True, capture_output=True)
    return folder


@pytest.mark.parametrize(
    ("name", "kinds"),
    [("large.tflite", {"ID"}), ("more.keras", {"CG"}), ("large_wrong.keras", {"ID", "WB"})],
)
def test_the_interface_is_named_and_repaired(name: str, kinds: set[str], made: Path, tmp_path: Path) -> None:
    out = tmp_path / name
    called = safeconvert("repair", made / "small.keras", made / name, "-o", out, "--samples", "28", "--json")
    assert called.code == 0, called.text
    predicate = called.json["predicate"]
    assert {fault["kind"] for fault in predicate["faults"]} == kinds
    assert predicate["attempts"][0]["outcome"] == "not_equivalent"
    again = safeconvert("verify", made / "small.keras", out, "--samples", "28")
    assert again.code == 0, again.text


def test_localize_only_names_it(made: Path) -> None:
    called = safeconvert("localize", made / "small.keras", made / "more.keras", "--samples", "28", "--json")
    assert called.code == 1, called.text
    (fault,) = called.json["predicate"]["faults"]
    assert (fault["kind"], fault["change"]) == ("CG", "added") and fault["target"] == "conv"
