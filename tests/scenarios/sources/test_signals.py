"""TensorFlow's products that are zero where a factor is, frames of a signal, spectra, a batch that is not in front, and outputs that have none."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.command import safeconvert
from tests.program import KERAS, run_program

pytestmark = pytest.mark.converters


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("signals")
    run_program(Path(__file__).parent / "programs" / "signals.py", folder, modules=KERAS)
    return folder


@pytest.mark.parametrize(
    ("model", "pair"),
    [
        ("products", "tf2onnx"),
        ("framed", "tf2tflite"),
        ("spectrum", "tf2onnx"),
        ("turned", "tf2tflite"),
        ("anchored", "tf2tflite"),
        ("mixed_types", "tf2torch"),
    ],  # fmt: skip
)
def test_it_is_converted_and_verified(model: str, pair: str, models: Path, tmp_path: Path) -> None:
    ending = pair.partition("2")[2]
    target = tmp_path / f"{model}.{'pt' if ending == 'torch' else ending}"
    called = safeconvert(pair, models / model, "-o", target, "--samples", "16")
    assert called.code == 0 and target.exists(), called.text
