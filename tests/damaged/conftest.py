"""A whole model of each format, to be damaged."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

_SCRIPT = """
import sys, pathlib, torch
folder = pathlib.Path(sys.argv[1])
torch.manual_seed(3)
net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(144, 5)).eval()
example = torch.zeros(2, 3, 8, 8)
torch.jit.trace(net, example).save(str(folder / "script.pt"))
torch.export.save(torch.export.export(net, (example,)), str(folder / "program.pt2"))
torch.onnx.export(net, (example,), str(folder / "model.onnx"), dynamo=False, input_names=["x"], dynamic_axes={"x": {0: "n"}})
torch.save(net.state_dict(), folder / "weights.pth")
import os
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
import keras, tensorflow as tf
keras.utils.set_random_seed(3)
model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3), keras.layers.Flatten(), keras.layers.Dense(5)])
model.save(folder / "model.keras")
model.save(folder / "model.h5")
model.export(str(folder / "saved"), verbose=False)
(folder / "model.tflite").write_bytes(tf.lite.TFLiteConverter.from_keras_model(model).convert())
"""


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with script.pt, program.pt2, weights.pth, model.onnx, model.keras, model.h5, model.tflite, saved/."""
    folder = tmp_path_factory.mktemp("whole")
    subprocess.run([sys.executable, "-c", _SCRIPT, str(folder)], check=True, capture_output=True)
    return folder
