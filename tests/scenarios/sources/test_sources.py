"""Every form of source through the real command line, to a target that stands alone."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import pytest

from tests.command import Called, safeconvert
from tests.slow import first_of_every

pytestmark = pytest.mark.converters


@dataclass(frozen=True)
class Case:
    """A source and the target format it is converted to."""

    source: str
    target: str
    options: tuple[str, ...] = ()


IMAGE = ("--input-shape", "0,3,8,8")
CASES = (
    Case("script.pt", "keras", IMAGE),
    Case("program.pt2", "onnx"),
    Case("weights.pth", "onnx", (*IMAGE, "--model", "factory:build")),
    Case("pickled.pt", "onnx", (*IMAGE, "--trust-pickle")),
    Case("tokens.pt", "onnx", ("--input-shape", "0,6", "--input-range", "ids=0:50")),
    Case("two.pt2", "onnx"),
    Case("model.keras", "tflite"),
    Case("model.h5", "torch"),
    Case("saved", "onnx"),
    Case("frozen.pb", "onnx"),
    Case("model.tflite", "onnx"),
    Case("model.onnx", "torch"),
    Case("external.onnx", "tf"),
)
SUFFIX = {"torch": ".pt2", "keras": ".keras", "tf": "_saved_model", "tflite": ".tflite", "onnx": ".onnx"}


def convert(source: Path, target: Path, format_name: str, *options: object) -> Called:
    return safeconvert(
        "convert", source, "--to", format_name, "-o", target, "--samples", "14", "--json", *options,
        cwd=source.parent, XDG_STATE_HOME=str(target.parent / "state"),
    )  # fmt: skip


@pytest.mark.parametrize("case", first_of_every(4, CASES), ids=lambda case: f"{case.source}-{case.target}")
def test_a_source_is_converted_and_verified(case: Case, whole: Path, tmp_path: Path) -> None:
    target = tmp_path / f"made{SUFFIX[case.target]}"
    called = convert(whole / case.source, target, case.target, *case.options)
    assert called.code == 0, called.text
    figures = called.json["predicate"]["verification"]["source native vs target native"]
    assert figures["samples"] >= 7 and figures["equal"] and figures["relative"] < 1e-4
    assert called.json["predicate"]["exporters"]["source"]["verdict"] in ("equal", "none")
    assert safeconvert("check", called.json["certificate"]).code == 0
    if case.source == "program.pt2":
        (only,) = called.json["attempts"]  # a route that traces is not tried with an ExportedProgram
        assert only["outcome"] == "verified" and "dynamo" in only["route"]


@pytest.mark.slow
def test_a_quantised_model_goes_to_onnx_stored_as_it_was(whole: Path, tmp_path: Path) -> None:
    """ONNX has no scale for an input: the integers are fed as the source stores them, and compared in real values."""
    called = convert(whole / "int8.tflite", tmp_path / "made.onnx", "onnx")
    assert called.code == 0, called.text
    figures = called.json["predicate"]["verification"]["source native vs target native"]
    assert figures["nonfinite"] == 0 and figures["samples"] == 7


def test_a_pickled_module_is_refused_without_trust(whole: Path, tmp_path: Path) -> None:
    called = convert(whole / "pickled.pt", tmp_path / "made.onnx", "onnx", *IMAGE)
    assert called.code == 2 and "--trust-pickle" in called.json["reason"] + called.json["advice"]


def test_a_source_with_dropout_left_on_is_no_function(whole: Path, tmp_path: Path) -> None:
    called = convert(whole / "dropout.pt", tmp_path / "made.onnx", "onnx", "--input-shape", "0,4")
    assert called.code in (0, 4), called.text
    if called.code == 4:
        assert "not a function" in called.json["reason"]


def test_a_shape_that_cannot_be_probed_is_asked_for(whole: Path, tmp_path: Path) -> None:
    called = convert(whole / "tokens.pt", tmp_path / "made.onnx", "onnx")
    assert called.code in (0, 2)
    if called.code == 2:
        assert "--input-shape" in called.json["reason"] + called.json["advice"]


@pytest.mark.parametrize("format_name", first_of_every(4, ["keras", "tf", "tflite", "torch"]))
def test_a_target_stands_alone_in_its_framework(format_name: str, whole: Path, tmp_path: Path) -> None:
    """In a fresh process where neither safeconvert nor a converter can be imported, it gives what the source gives."""
    target = tmp_path / f"made{SUFFIX[format_name]}"
    assert convert(whole / "model.onnx", target, format_name).code == 0
    x = np.random.default_rng(0).normal(size=(3, 3, 8, 8)).astype(np.float32)
    np.save(tmp_path / "x.npy", x)
    program = [sys.executable, str(Path(__file__).parent / "programs" / "in_its_framework.py"), format_name]
    arguments = [str(target), str(tmp_path / "x.npy"), str(tmp_path / "y.npy")]
    done = subprocess.run([*program, *arguments], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    import onnxruntime

    (expected,) = onnxruntime.InferenceSession(str(whole / "model.onnx")).run(None, {"x": x})
    np.testing.assert_allclose(np.load(tmp_path / "y.npy"), expected, rtol=1e-4, atol=1e-5)


def test_an_onnx_target_passes_the_checker(whole: Path, tmp_path: Path) -> None:
    target = tmp_path / "made.onnx"
    assert convert(whole / "model.tflite", target, "onnx").code == 0
    onnx.checker.check_model(str(target), full_check=True)
