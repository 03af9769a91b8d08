"""A small model in every form, made once a session by the frameworks themselves."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.command import Called, safeconvert

_SCRIPT = """
import sys, pathlib, os
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
folder = pathlib.Path(sys.argv[1])
sys.path.insert(0, str(folder))
(folder / "factory.py").write_text(
    "import torch\\n\\n\\ndef build():\\n"
    "    return torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(144, 5))\\n"
)
import numpy as np, torch, onnx, factory
torch.manual_seed(3)
net = factory.build().eval()
example = torch.randn(2, 3, 8, 8)
torch.jit.trace(net, example).save(str(folder / "script.pt"))
torch.export.save(torch.export.export(net, (example,)), str(folder / "program.pt2"))
torch.onnx.export(net, (example,), str(folder / "model.onnx"), dynamo=False, input_names=["x"], dynamic_axes={"x": {0: "n"}})
onnx.save(onnx.load(folder / "model.onnx"), folder / "external.onnx", save_as_external_data=True, size_threshold=0, location="external.bin")
torch.save(net.state_dict(), folder / "weights.pth")
torch.save(net, folder / "pickled.pt")


class Tokens(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.table, self.head = torch.nn.Embedding(50, 8), torch.nn.Linear(8, 4)

    def forward(self, ids):
        return self.head(self.table(ids).mean(1))


class Two(torch.nn.Module):
    def forward(self, a, b):
        return a * 2 + b, torch.tanh(b)


torch.jit.trace(Tokens().eval(), torch.randint(0, 50, (2, 6))).save(str(folder / "tokens.pt"))
torch.export.save(torch.export.export(Two(), (torch.randn(2, 3), torch.randn(2, 3))), str(folder / "two.pt2"))
dropout = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Dropout(0.5))
torch.jit.script(dropout).save(str(folder / "dropout.pt"))

import keras, tensorflow as tf
keras.utils.set_random_seed(3)
model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, activation="relu"), keras.layers.Flatten(), keras.layers.Dense(5)])
model.save(folder / "model.keras")
model.save(folder / "model.h5")
model.export(str(folder / "saved"), verbose=False)
(folder / "model.tflite").write_bytes(tf.lite.TFLiteConverter.from_keras_model(model).convert())
converter = tf.lite.TFLiteConverter.from_keras_model(model)
converter.optimizations = [tf.lite.Optimize.DEFAULT]
converter.representative_dataset = lambda: ([np.random.default_rng(n).normal(size=(1, 8, 8, 3)).astype("float32")] for n in range(20))
converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
converter.inference_input_type = converter.inference_output_type = tf.int8
(folder / "int8.tflite").write_bytes(converter.convert())
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2
frozen = convert_variables_to_constants_v2(tf.function(model).get_concrete_function(tf.TensorSpec((None, 8, 8, 3), tf.float32)))
(folder / "frozen.pb").write_bytes(frozen.graph.as_graph_def().SerializeToString())
"""


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small model in every form that safeconvert reads; see the script above for their names."""
    folder = tmp_path_factory.mktemp("whole")
    subprocess.run([sys.executable, "-c", _SCRIPT, str(folder)], check=True, capture_output=True, text=True)
    return folder


_CNN = """
import sys, torch
torch.manual_seed(3)
net = torch.nn.Sequential(
    torch.nn.Conv2d(3, 6, 3, padding=1), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(6 * 8 * 8, 10)
).eval()
torch.jit.trace(net, torch.zeros(2, 3, 8, 8)).save(sys.argv[1])
"""


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A TorchScript CNN on (N,3,8,8) with ten classes."""
    path = tmp_path_factory.mktemp("fakes") / "model.pt"
    subprocess.run([sys.executable, "-c", _CNN, str(path)], check=True, capture_output=True)
    return path


@dataclass(frozen=True)
class Converted:
    """One conversion with every file that it writes.

    Attributes:
        called: the call.
        certificate, junit, nodes: certificate, JUnit XML, and node data for Model Explorer.
        model: the target, or the rejected candidate.
    """

    called: Called
    certificate: Path
    junit: Path
    nodes: Path
    model: Path


def _converted(folder: Path, source: Path, name: str, made: str, *flags: object) -> Converted:
    junit, nodes = folder / "junit.xml", folder / "nodes.json"
    called = safeconvert(
        "convert", source, "--to", flags[0], "-o", folder / name, "--samples", "14", *flags[1:],
        "--junit", junit, "--model-explorer", nodes,
    )  # fmt: skip
    return Converted(called, folder / f"{made}.certificate.json", junit, nodes, folder / made)


@pytest.fixture(scope="session")
def verified(whole: Path, tmp_path_factory: pytest.TempPathFactory) -> Converted:
    """A Keras model as TFLite, verified."""
    folder = tmp_path_factory.mktemp("verified")
    return _converted(folder, whole / "model.keras", "model.tflite", "model.tflite", "tflite")


@pytest.fixture(scope="session")
def refuted(tmp_path_factory: pytest.TempPathFactory) -> Converted:
    """An ONNX model as onnx2keras 0.0.25 itself converts it, which ignores Selu's alpha and gamma; not repaired."""
    import onnx

    from tests.onnx_models import selu_net

    folder = tmp_path_factory.mktemp("refuted")
    onnx.save(selu_net(), folder / "selu.onnx")
    return _converted(
        folder, folder / "selu.onnx", "selu.keras", "selu.keras.rejected", "keras", "--no-repair",
        "--route", "fake_raw", "--config", Path(__file__).parent / "fakes" / "fakes.toml",
    )  # fmt: skip
