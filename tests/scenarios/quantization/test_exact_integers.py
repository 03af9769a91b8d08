"""A full-integer .tflite as the source: its target computes the same bytes, where QuantizeLinear around float operators does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.command import safeconvert
from tests.program import KERAS, run_program

pytestmark = pytest.mark.converters
PROGRAM = Path(__file__).parents[2] / "adapters" / "programs" / "integers.py"


@pytest.mark.parametrize(
    ("suffix", "last"),
    [
        (".onnx", "tflite_ops"),
        pytest.param(".pt2", "onnx2torch", marks=pytest.mark.slow),
        pytest.param(".keras", "keras_ops", marks=pytest.mark.slow),
    ],
)
def test_a_target_of_an_integer_source_is_no_step_apart(suffix: str, last: str, tmp_path: Path) -> None:
    run_program(PROGRAM, tmp_path, "deep", modules=KERAS)
    target = {".onnx": "onnx", ".pt2": "torch", ".keras": "keras"}[suffix]
    called = safeconvert(
        f"tflite2{target}", tmp_path / "deep.tflite", "-o", tmp_path / f"m{suffix}", "--search", 0, "--json"
    )
    assert called.code == 0, called.text
    predicate = called.json["predicate"]
    attempts = predicate["attempts"]
    assert attempts[-1]["outcome"] == "verified" and attempts[-1]["route"][0] == "tflite_ops"
    assert attempts[-1]["route"][-1] == last
    if suffix == ".onnx":
        assert attempts[0]["route"] == ["tf2onnx"] and attempts[0]["outcome"] == "not_equivalent"
    assert predicate["fidelity"][0]["steps"] == 0
    assert any("stores real values as int8: real = " in line for line in predicate["obligations"])


@pytest.mark.slow
def test_a_target_of_a_source_in_words_of_16_bits_is_no_step_apart(tmp_path: Path) -> None:
    run_program(PROGRAM, tmp_path, "--sixteen", "deep", modules=KERAS)
    called = safeconvert("tflite2onnx", tmp_path / "deep.tflite", "-o", tmp_path / "m.onnx", "--search", 0, "--json")
    assert called.code == 0, called.text
    predicate = called.json["predicate"]
    assert [step["adapter"] for step in predicate["route"]] == ["tflite_ops"]
    assert predicate["fidelity"][0]["steps"] == 0
    assert any("stores real values as int16: real = " in line for line in predicate["obligations"])
