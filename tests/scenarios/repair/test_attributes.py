"""Wrong layer hyperparameters, repaired in the native file itself, through the command line."""

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
import keras, numpy as np, tensorflow as tf, torch
keras.utils.set_random_seed(0)
L = keras.layers
def keras_net(slopes=(0.3, 0.3), dilation=1, epsilon=1e-3):
    x = keras.Input((12, 12, 3), name="image")
    y = L.LeakyReLU(slopes[0])(L.Conv2D(6, 3, name="first")(x))
    y = L.BatchNormalization(epsilon=epsilon, name="norm")(L.AveragePooling2D(2)(y))
    y = L.LeakyReLU(slopes[1])(L.Conv2D(4, 3, padding="same", dilation_rate=dilation, name="second")(y))
    return keras.Model(x, L.Dense(5, name="head")(L.Flatten()(y)))
right = keras_net()
right.get_layer("norm").set_weights([np.array(v, "float32") for v in ([1.5, .5, 1, 1, 2, 1], [0, .1, 0, 0, .2, 0], [.1, 0, .2, 0, .1, 0], [.02, .1, .05, .2, .1, .1])])
right.save(out + "/right.keras")
def keep(name, **wrong):
    model = keras_net(**wrong)
    model.set_weights(right.get_weights())
    model.save(out + f"/{name}.keras")
    open(out + f"/{name}.tflite", "wb").write(tf.lite.TFLiteConverter.from_keras_model(model).convert())
keep("slope", slopes=(0.3, 0.1))
keep("dilation", dilation=2)
keep("both", slopes=(0.2, 0.3), dilation=2)
torch.manual_seed(0)
def torch_net(slope=0.3, dilation=1, cap=1.0):
    N = torch.nn
    return N.Sequential(N.Conv2d(3, 6, 3), N.LeakyReLU(slope), N.Conv2d(6, 4, 3, padding=dilation, dilation=dilation),
                        N.Hardtanh(-1.0, cap), N.Flatten(), N.Linear(400, 5)).eval()
whole = torch_net()
example = torch.zeros(2, 3, 12, 12)
batch = ({0: torch.export.Dim("batch")},)
torch.export.save(torch.export.export(whole, (example,), dynamic_shapes=batch), out + "/right.pt2")
for name, wrong in {"slope": {"slope": 0.1}, "dilation": {"dilation": 2}, "cap": {"cap": 0.5}}.items():
    model = torch_net(**wrong)
    model.load_state_dict(whole.state_dict())
    torch.export.save(torch.export.export(model, (example,), dynamic_shapes=batch), out + f"/{name}.pt2")
    torch.save(model, out + f"/{name}.pt")
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("attributes")
    subprocess.run([sys.executable, "-c", _SCRIPT, str(folder)], check=True, capture_output=True)
    return folder


@pytest.mark.parametrize(
    "name",
    ["both.keras", "slope.tflite", "dilation.pt2", "cap.pt2", "slope.pt"],
)
def test_a_wrong_hyperparameter_is_set_in_the_native_file(name: str, made: Path, tmp_path: Path) -> None:
    source = "right.pt2" if ".pt" in name else "right.keras"
    out = tmp_path / name.replace(".", "_fixed.")
    called = safeconvert("repair", made / source, made / name, "-o", out, "--samples", "28", "--json", "--trust-pickle")
    assert called.code == 0, called.text
    predicate = called.json["predicate"]
    assert {fault["kind"] for fault in predicate["faults"]} == {"LH"}, predicate["faults"]
    assert predicate["repair"]["lift"] == f"attributes patched in the {_format(name)} file"


def _format(name: str) -> str:
    return {"keras": "keras", "tflite": "tflite"}.get(name.partition(".")[2], "torch")
