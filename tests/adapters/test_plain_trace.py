"""Keras layers that tf2onnx meets as functions compiled by XLA, or as Erfc."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli import safeconvert

pytestmark = pytest.mark.converters

_SCRIPT = """
import sys, keras
keras.utils.set_random_seed(0)
x = keras.Input((8, 8, 6))
y = keras.layers.Conv2D(6, 3, padding="same", groups=6)(x)
y = keras.layers.Activation("gelu")(y)
y = keras.layers.Conv2D(9, 3, strides=2, groups=3)(y)
keras.Model(x, keras.layers.Dense(4)(keras.layers.GlobalAveragePooling2D()(y))).save(sys.argv[1])
"""


def test_grouped_convolutions_and_gelu_reach_onnx_on_every_route(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", _SCRIPT, tmp_path / "m.keras"], check=True, capture_output=True)
    called = safeconvert(
        "keras2onnx", tmp_path / "m.keras", "-o", tmp_path / "m.onnx", "--samples", "20", "--routes", "all", "--json",
        XDG_STATE_HOME=str(tmp_path / "state"), XDG_DATA_HOME=str(tmp_path / "no optional converters"),
    )  # fmt: skip
    assert called.code == 0, called.text
    outcomes = {one["route"]: one["outcome"] for one in called.json["attempts"]}
    assert {outcomes[name] for name in ("tf2onnx", "keras_export", "onnxmltools")} == {"verified"}
