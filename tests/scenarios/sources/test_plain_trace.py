"""What tf2onnx does not know by itself: convolutions compiled by XLA, Erfc, TFLite's Gelu, and TensorFlow's resizing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.command import safeconvert

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


_GELUS = """
import sys, keras, tensorflow
keras.utils.set_random_seed(0)
x = keras.Input((6,))
y = keras.layers.Dense(5, activation="gelu")(x)
y = keras.layers.Dense(4)(keras.layers.Lambda(lambda v: keras.activations.gelu(v, approximate=True))(y))
model = keras.Model(x, y)
model.export(sys.argv[1], verbose=False)
open(sys.argv[2], "wb").write(tensorflow.lite.TFLiteConverter.from_keras_model(model).convert())
assert "GELU" in [one["op_name"] for one in tensorflow.lite.Interpreter(sys.argv[2])._get_ops_details()]
"""


def test_gelu_of_a_saved_model_and_of_tflite_reaches_onnx(tmp_path: Path) -> None:
    folder, file = tmp_path / "saved_model", tmp_path / "m.tflite"
    subprocess.run([sys.executable, "-c", _GELUS, folder, file], check=True, capture_output=True)
    for command, source in (("tf2onnx", folder), ("tflite2onnx", file)):
        called = safeconvert(
            command, source, "-o", tmp_path / "m.onnx", "--samples", "20", "--route", "tf2onnx", "--json",
            XDG_STATE_HOME=str(tmp_path / "state"),
        )  # fmt: skip
        assert called.code == 0, called.text


_RESIZES = """
import sys, keras
x = keras.Input((9, 8, 3))
ys = [keras.layers.UpSampling2D((2, 3), interpolation="bicubic")(x)]
for size in ((11, 13), (4, 3)):
    ys += [keras.layers.Resizing(*size, interpolation=kind)(x) for kind in ("nearest", "bicubic", "lanczos3", "lanczos5")]
ys.append(keras.ops.image.resize(x, (5, 6), antialias=True))
keras.Model(x, ys).save(sys.argv[1])
"""


@pytest.mark.parametrize(("command", "suffix"), [("keras2onnx", ".onnx"), ("keras2torch", ".pt2")])
def test_resizing_has_the_weights_of_tensorflow(command: str, suffix: str, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", _RESIZES, tmp_path / "m.keras"], check=True, capture_output=True)
    called = safeconvert(
        command, tmp_path / "m.keras", "-o", tmp_path / f"m{suffix}", "--samples", "20", "--json",
        XDG_STATE_HOME=str(tmp_path / "state"), XDG_DATA_HOME=str(tmp_path / "no optional converters"),
    )  # fmt: skip
    assert called.code == 0, called.text
