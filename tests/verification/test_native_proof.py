"""A proof between the files themselves: a Keras model and what TensorFlow's converter made of it, and TorchScript and its ONNX export, by readers of both."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import safeconvert
from safeconvert.app.proofs import with_proof
from safeconvert.certificate.check import Status, check
from safeconvert.config.settings import load_settings


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A certificate beside both files, and its content."""
    keras = pytest.importorskip("keras")
    tf = pytest.importorskip("tensorflow")
    layers = keras.layers
    x = keras.Input((8, 8, 3))
    y = layers.Conv2D(4, 3, padding="same", strides=2, bias_initializer="normal")(x)
    y = layers.ReLU()(layers.BatchNormalization(moving_mean_initializer="normal")(y))
    model = keras.Model(x, layers.Dense(5, activation="softmax")(layers.Flatten()(y)))
    folder = tmp_path_factory.mktemp("native")
    model.save(folder / "net.keras")
    (folder / "net.tflite").write_bytes(tf.lite.TFLiteConverter.from_keras_model(model).convert())
    certificate = folder / "net.certificate.json"
    found = safeconvert.verify(folder / "net.keras", folder / "net.tflite", samples=24, certificate=certificate)
    return certificate, dict(found.predicate)


def test_both_files_are_read_and_proven_end_to_end(certified: tuple[Path, dict[str, Any]]) -> None:
    _, predicate = certified
    proof = predicate["proof"]
    assert proof["level"] == "native" and not proof["reason"], json.dumps(proof, indent=1)
    assert 0 < proof["apart"] < 1e-5
    assert next(iter(proof["sizes"].values()))[1:] == [8, 8, 3]


def test_the_files_are_read_again_where_the_proof_is_checked(certified: tuple[Path, dict[str, Any]]) -> None:
    certificate, _ = certified
    report = with_proof(check(certificate), certificate, None, load_settings())
    proof = report.items[-1]
    assert proof.status is Status.PROVEN and "from both files" in proof.detail


@pytest.fixture(scope="module")
def scripted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A certificate of a TorchScript file, which says no sizes of its inputs, and of its export; and its content."""
    torch = pytest.importorskip("torch")
    nn, folder = torch.nn, tmp_path_factory.mktemp("scripted")
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 5)
    )
    net.eval()[1].running_mean.normal_()
    x = torch.randn(2, 3, 8, 8)
    torch.jit.save(torch.jit.script(net), str(folder / "net.pt"))
    torch.onnx.export(
        net, (x,), str(folder / "net.onnx"), input_names=["x"], dynamo=False, dynamic_axes={"x": {0: "n"}}
    )
    certificate = folder / "net.certificate.json"
    found = safeconvert.verify(
        folder / "net.pt", folder / "net.onnx", samples=24, certificate=certificate, input_shape=(1, 3, 8, 8)
    )
    return certificate, dict(found.predicate)


def test_torchscript_is_read_at_the_sizes_that_it_was_run_at(scripted: tuple[Path, dict[str, Any]]) -> None:
    certificate, predicate = scripted
    proof = predicate["proof"]
    assert proof["level"] == "native" and not proof["reason"], json.dumps(proof, indent=1)
    [size] = proof["sizes"].values()
    assert size[0] > 1 and size[1:] == [3, 8, 8]
    checked = with_proof(check(certificate), certificate, None, load_settings()).items[-1]
    assert checked.status is Status.PROVEN and "from both files" in checked.detail
