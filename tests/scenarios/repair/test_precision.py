"""TFLite files with fewer bits: which layers cost the labels, and the fewest of them given back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.command import safeconvert
from tests.program import KERAS, run_program

pytestmark = pytest.mark.converters
PROGRAMS = Path(__file__).parent / "programs"


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("precision") / "model.keras"
    run_program(PROGRAMS / "wide_layers.py", path, modules=KERAS)
    return path


def convert(model: Path, out: Path, *options: str) -> tuple[int, dict]:
    called = safeconvert(
        "keras2tflite", model, "-o", out, "--optimize", "default", "--samples", "120", "--json", *options
    )
    return called.code, called.json


def test_the_fewest_layers_are_restored(model: Path, tmp_path: Path) -> None:
    code, answer = convert(model, tmp_path / "m.tflite")
    predicate = answer["predicate"]
    assert code == 0, answer["reason"]
    assert predicate["attempts"][0]["outcome"] == "not_equivalent"
    restored = [fault for fault in predicate["faults"] if fault["proven"]]
    assert 0 < len(restored) < len(predicate["faults"]), ("neither none nor all of them", answer["attempts"])
    assert restored[0]["isolated"] == max(fault["isolated"] for fault in predicate["faults"])
    assert {fault["kind"] for fault in predicate["faults"]} == {"WB"}
    assert "bytes became" in predicate["repair"]["lift"]
    assert (tmp_path / "m.tflite").exists()


@pytest.mark.slow
def test_keeping_the_precision_only_reports(model: Path, tmp_path: Path) -> None:
    code, answer = convert(model, tmp_path / "kept.tflite", "--keep-precision")
    assert code == 1
    faults = answer["predicate"]["faults"]
    assert faults and not any(fault["proven"] for fault in faults)
    assert not (tmp_path / "kept.tflite").exists()


def test_a_loss_that_is_allowed_restores_nothing(model: Path, tmp_path: Path) -> None:
    code, answer = convert(model, tmp_path / "loose.tflite", "--max-discrepancy", "0.9")
    assert code == 0 and answer["predicate"]["faults"] == [], answer["attempts"]


@pytest.mark.slow
def test_without_a_comparator_for_labels_everything_is_restored(model: Path, tmp_path: Path) -> None:
    """The same function to rounding is what was asked for."""
    code, answer = convert(model, tmp_path / "same.tflite", "--comparator", "allclose")
    assert code == 0, answer["reason"]
    assert all(fault["proven"] for fault in answer["predicate"]["faults"])
