"""A verified TFLite target on further runtimes: each is a remark, and none decides."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.compare.comparison import Comparison
from safeconvert.compare.contract import Contract
from safeconvert.compare.discrepancy import Accumulator
from safeconvert.compare.settings import VerifySettings
from safeconvert.config.parsing import deciding_runtime, runtimes
from safeconvert.config.settings import load_settings
from safeconvert.conversion import models
from safeconvert.core.progress import Phases
from safeconvert.core.runtimes import Runtime
from safeconvert.core.signature import Quantization, Signature, TensorSpec
from safeconvert.errors import UnusableInput
from safeconvert.gate.policy import violations
from safeconvert.verification.native import unchanged_contract
from safeconvert.verification.runtimes import said
from safeconvert.workers.run import open_run
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
    line = said(Runtime.PLAIN, Runtime.LITERT, *compared(3.0))
    assert line.startswith("runtime fault: LiteRT without XNNPACK gives other values on 10 of 10")
    assert "other labels on 10" in line and "6 steps" in line
    assert said(Runtime.TFLM, Runtime.TENSORFLOW, *compared(0.0)).startswith(
        "TensorFlow Lite Micro gives the same on 10"
    )


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
def test_the_runtime_that_decides_is_the_one_that_is_asked_for_and_is_said(whole: Path) -> None:
    models = (whole / "model.keras", whole / "model.tflite", "--samples", 8, "--search", 0)
    called = safeconvert("verify", *models, "--tflite-runtime", "tensorflow", "--also-on", "litert", "--json")
    assert called.code == 0, called.text
    predicate = called.json["predicate"]
    assert predicate["settings"]["tflite_runtime"] == "tensorflow"
    assert predicate["settings"]["loosened"] == [
        "TFLite files run in TensorFlow's interpreter instead of LiteRT with XNNPACK"
    ]
    assert any("LiteRT with XNNPACK gives the same" in line for line in predicate["remarks"]), predicate["remarks"]
    policy = load_settings().gate
    (named,) = (line for line in violations(predicate, policy, datetime.now(UTC)) if "TFLite" in line)
    assert named == "TFLite files ran in 'tensorflow'; the policy allows litert"
    allowed = replace(policy, tflite_runtimes=("litert", "tensorflow"))
    assert not [line for line in violations(predicate, allowed, datetime.now(UTC)) if "TFLite" in line]


def test_tflite_files_alone_run_where_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """What runs is not seen in a result that all runtimes give."""
    monkeypatch.setattr(models, "open_session", lambda worker, adapter, request: request.runtime)
    with open_run(load_settings(), Phases()) as run:
        asked = replace(run, settings=replace(run.settings, tflite=replace(run.settings.tflite, runtime="plain")))
        opened = [
            models.open_model(surroundings, "target", kind, ModelRequest("m", runtime=own))
            for surroundings, kind, own in (
                (run, "tflite", ""), (asked, "tflite", ""), (asked, "tflite", "tensorflow"), (asked, "onnx", ""),
            )
        ]  # fmt: skip
    assert opened == ["", "plain", "tensorflow", ""]


def test_what_no_verdict_can_be_of_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableInput, match="--tflite-runtime tflm: no runtime that a verdict can be of"):
        deciding_runtime("tflm", "--tflite-runtime")
    given = tmp_path / "settings.toml"
    for section, key in (("tflite", 'runtime = "tflm"'), ("gate", 'tflite_runtimes = ["tflm"]')):
        given.write_text(f"[{section}]\n{key}\n")
        with pytest.raises(UnusableInput, match=key.split()[0]):
            load_settings(given)


@pytest.mark.converters
def test_the_steps_between_an_int8_file_and_its_onnx_form_are_counted(whole: Path, tmp_path: Path) -> None:
    called = safeconvert(
        "convert", whole / "int8.tflite", "--to", "onnx", "-o", tmp_path / "m.onnx", "--samples", 8, "--search", 0, "--comparator", "top1",
        "--json",
    )  # fmt: skip
    (one,) = called.json["predicate"]["fidelity"]
    assert one["steps"] is not None and one["steps"] == round(one["steps"]) <= 3, called.text
