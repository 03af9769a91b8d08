"""A verified TFLite target on further runtimes: each is a remark, and none decides."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from safeconvert.compare.comparison import Comparison
from safeconvert.compare.contract import Contract
from safeconvert.compare.discrepancy import Accumulator
from safeconvert.compare.settings import VerifySettings
from safeconvert.config.parsing import runtimes
from safeconvert.core.runtimes import Runtime
from safeconvert.core.signature import Quantization, Signature, TensorSpec
from safeconvert.errors import UnusableInput
from safeconvert.verification.native import unchanged_contract
from safeconvert.verification.runtimes import said
from tests.command import safeconvert


def compared(moved: float) -> tuple[Contract, Comparison]:
    """Ten samples of three scores in steps of a half, all of them `moved` at one class."""
    spec = TensorSpec("y", (None, 3), "int8", None, Quantization(0.5, 0))
    signature = Signature((), (spec,))
    figures = Accumulator(VerifySettings(), "", {})
    ours = np.tile(np.array([[1.0, 2.0, 3.0]]), (10, 1))
    theirs = ours + np.array([[moved, 0.0, 0.0]])
    figures.add({"y": ours}, {"y": theirs}, np.arange(10))
    return unchanged_contract(signature, signature), figures.result(np.arange(10))


def test_what_differs_is_said_in_steps_of_the_output() -> None:
    line = said(Runtime.PLAIN, *compared(3.0))
    assert line.startswith("runtime fault: LiteRT without XNNPACK gives other values on 10 of 10")
    assert "other labels on 10" in line and "6 steps" in line
    assert said(Runtime.TFLM, *compared(0.0)).startswith("TensorFlow Lite Micro gives the same on 10")


def test_an_unknown_runtime_is_refused() -> None:
    assert runtimes(["plain", "plain", "tflm"]) == (Runtime.PLAIN, Runtime.TFLM)
    with pytest.raises(UnusableInput, match="--also-on onnx"):
        runtimes(["onnx"])


@pytest.mark.converters
def test_each_runtime_is_a_remark_and_none_decides(whole: Path) -> None:
    also = [word for name in Runtime for word in ("--also-on", name)]
    called = safeconvert(
        "verify", whole / "model.keras", whole / "model.tflite", "--samples", 8, "--search", 0, "--json", *also
    )
    assert called.code == 0, called.text
    remarks = called.json["predicate"]["remarks"]
    assert any("LiteRT without XNNPACK gives the same" in line for line in remarks), remarks
    assert any("TensorFlow's interpreter gives the same" in line for line in remarks), remarks
    micro = next(line for line in remarks if "TensorFlow Lite Micro" in line)
    assert ("gives the same" in micro) == (importlib.util.find_spec("tflite_micro") is not None), micro


@pytest.mark.converters
def test_the_steps_between_an_int8_file_and_its_onnx_form_are_counted(whole: Path, tmp_path: Path) -> None:
    called = safeconvert(
        "convert", whole / "int8.tflite", "--to", "onnx", "-o", tmp_path / "m.onnx", "--samples", 8, "--search", 0, "--comparator", "top1",
        "--json",
    )  # fmt: skip
    (one,) = called.json["predicate"]["fidelity"]
    assert one["steps"] is not None and one["steps"] == round(one["steps"]) <= 3, called.text
