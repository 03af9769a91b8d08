"""What tf2onnx does not know by itself: convolutions compiled by XLA, Erfc, TFLite's Gelu, and TensorFlow's resizing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.command import safeconvert
from tests.program import KERAS, run_program
from tests.slow import first_of_every

pytestmark = pytest.mark.converters
PROGRAMS = Path(__file__).parent / "programs"


def test_grouped_convolutions_and_gelu_reach_onnx_on_every_route(tmp_path: Path) -> None:
    run_program(PROGRAMS / "compiled_convolution.py", tmp_path / "m.keras", modules=KERAS)
    called = safeconvert(
        "keras2onnx", tmp_path / "m.keras", "-o", tmp_path / "m.onnx", "--samples", "20", "--routes", "all", "--json",
        XDG_STATE_HOME=str(tmp_path / "state"), XDG_DATA_HOME=str(tmp_path / "no optional converters"),
    )  # fmt: skip
    assert called.code == 0, called.text
    outcomes = {one["route"]: one["outcome"] for one in called.json["attempts"]}
    assert {outcomes[name] for name in ("tf2onnx", "keras_export", "onnxmltools")} == {"verified"}


@pytest.mark.slow
def test_gelu_of_a_saved_model_and_of_tflite_reaches_onnx(tmp_path: Path) -> None:
    folder, file = tmp_path / "saved_model", tmp_path / "m.tflite"
    run_program(PROGRAMS / "gelus.py", folder, file, modules=KERAS)
    for command, source in (("tf2onnx", folder), ("tflite2onnx", file)):
        called = safeconvert(
            command, source, "-o", tmp_path / "m.onnx", "--samples", "20", "--route", "tf2onnx", "--json",
            XDG_STATE_HOME=str(tmp_path / "state"),
        )  # fmt: skip
        assert called.code == 0, called.text


@pytest.mark.parametrize(("command", "suffix"), first_of_every(2, [("keras2onnx", ".onnx"), ("keras2torch", ".pt2")]))
def test_resizing_has_the_weights_of_tensorflow(command: str, suffix: str, tmp_path: Path) -> None:
    run_program(PROGRAMS / "resizes.py", tmp_path / "m.keras", modules=KERAS)
    called = safeconvert(
        command, tmp_path / "m.keras", "-o", tmp_path / f"m{suffix}", "--samples", "20", "--json",
        XDG_STATE_HOME=str(tmp_path / "state"), XDG_DATA_HOME=str(tmp_path / "no optional converters"),
    )  # fmt: skip
    assert called.code == 0, called.text
