"""A native file that is spoiled in one place is refused, or not proven equal to the file as it was."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from onnx import TensorProto

from safeconvert.prove.readers.writer import Input
from tests.scenarios.spoiled_files import SPOILS, mutant

torch = pytest.importorskip("torch")
tf = pytest.importorskip("tensorflow")
keras = pytest.importorskip("keras")
COUNT = 12


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One small net in each format."""
    folder = tmp_path_factory.mktemp("nets")
    layers, biased = keras.layers, {"bias_initializer": "normal"}
    net = keras.Sequential(
        [
            layers.Input((6, 6, 2)),
            layers.Conv2D(3, 3, padding="same", activation="relu", **biased),
            layers.Flatten(),
            layers.Dense(4, activation="tanh"),
        ]
    )
    net.save(folder / "net.keras")
    net.export(str(folder / "saved"), verbose=False)
    (folder / "net.tflite").write_bytes(tf.lite.TFLiteConverter.from_saved_model(str(folder / "saved")).convert())
    module = torch.nn.Sequential(
        torch.nn.Conv2d(2, 3, 3, padding=1), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(108, 4)
    )
    torch.export.save(torch.export.export(module.eval(), (torch.randn(2, 2, 6, 6),)), str(folder / "net.pt2"))
    torch.jit.save(torch.jit.trace(module, torch.randn(2, 2, 6, 6)), str(folder / "net.pt"))
    return {
        "torchscript": folder / "net.pt",
        "keras": folder / "net.keras",
        "tflite": folder / "net.tflite",
        "torch": folder / "net.pt2",
        "tf": folder / "saved",
    }


@pytest.mark.parametrize("file_format", list(SPOILS))
def test_no_spoiled_file_is_proven(file_format: str, files: dict[str, Path]) -> None:
    given = [Input("input", TensorProto.FLOAT, (None, 2, 6, 6))] if file_format == "torchscript" else []
    found = [mutant(files[file_format], file_format, seed, given) for seed in range(COUNT)]
    assert not [what for outcome, what in found if outcome == "proven"]
    assert Counter(outcome for outcome, _ in found)["not proven"] >= COUNT // 3, found
