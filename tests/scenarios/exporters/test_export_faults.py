"""Faults of exporters: named by the native model's own layers, and undone with another exporter's nodes, through the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.command import Called, safeconvert
from tests.program import KERAS, run_program

pytestmark = pytest.mark.converters
CONFIG = Path(__file__).parent / "wrong.toml"
WEAK = CONFIG.with_name("weak.toml")


def convert(verb: str, source: Path, out: Path, *options: object) -> Called:
    state = str(out.parent / "state")
    return safeconvert(verb, source, "-o", out, "--config", CONFIG, "--samples", "14", *options, XDG_STATE_HOME=state)


def exporter(called: Called) -> dict[str, Any]:
    return called.json["predicate"]["exporters"]["source"]


def test_two_wrong_torch_exporters_make_one_right_graph(source: Path, tmp_path: Path) -> None:
    called = convert("torch2onnx", source, tmp_path / "out.onnx", "--input-shape", "0,3,8,8", "--json")
    assert called.code == 0, called.text
    found = exporter(called)
    assert found["adapter"] == "torch_onnx_script" and found["verdict"] == "different"
    (fault,) = found["faults"]
    assert fault["layer"] == "0" and "conv" in fault["operator"], fault
    assert any("(Conv)" in node for node in fault["nodes"]) and fault["replaced"] == "torch_onnx_dynamo"
    predicate = called.json["predicate"]
    assert {one["kind"] for one in predicate["faults"]} == {"WB"} and predicate["faults"][0]["operator"] == "Conv"
    assert predicate["faults"][0]["source_layer"] == "0"
    assert predicate["repair"]["lift"] == "repaired in the ONNX file"
    again = safeconvert("verify", source, tmp_path / "out.onnx", "--input-shape", "0,3,8,8", "--seed", "5")
    assert again.code == 0, again.text


def test_a_wrong_keras_exporter_is_named_by_the_layer_and_undone(whole: Path, tmp_path: Path) -> None:
    called = convert("keras2onnx", whole / "model.keras", tmp_path / "out.onnx", "--route", "tf2onnx", "--json")
    assert called.code == 0, called.text
    found = exporter(called)
    (fault,) = found["faults"]
    assert fault["layer"] == "conv2d" and fault["operator"] == "Conv2D", fault
    predicate = called.json["predicate"]
    assert predicate["faults"][0]["kind"] == "WB" and predicate["faults"][0]["operator"] == "Conv"
    assert predicate["repair"]["lift"] == "repaired in the ONNX file"
    assert safeconvert("check", called.json["certificate"]).code == 0


@pytest.mark.parametrize(("command", "model"), [("tflite2onnx", "model.tflite"), ("tf2onnx", "saved")])
def test_where_there_is_one_exporter_the_graph_that_is_read_from_the_file_undoes_it(
    command: str, model: str, whole: Path, tmp_path: Path
) -> None:
    called = convert(command, whole / model, tmp_path / "out.onnx", "--route", "tf2onnx", "--json")
    assert called.code == 0, called.text
    (fault,) = exporter(called)["faults"]
    assert fault["layer"], fault
    predicate = called.json["predicate"]
    assert {one["operator"] for one in predicate["faults"]} == {"Conv"}
    assert predicate["repair"]["lift"] == "repaired in the ONNX file"


@pytest.mark.slow
def test_without_repair_the_summary_names_the_layer(whole: Path, tmp_path: Path) -> None:
    options = ("--route", "tf2onnx", "--no-repair")
    called = convert("keras2onnx", whole / "model.keras", tmp_path / "out.onnx", *options)
    assert called.code == 1, called.text
    assert "at layer conv2d (Conv2D)" in called.out, called.out


@pytest.mark.slow
def test_a_fault_that_only_a_search_finds_is_the_exporters_too(tmp_path: Path) -> None:
    """Both ONNX forms have it, so that only the native model tells; another exporter's form takes the source's place."""
    run_program(CONFIG.with_name("programs") / "rows.py", tmp_path / "rows.keras", modules=KERAS)
    called = safeconvert(
        "keras2onnx", tmp_path / "rows.keras", "-o", tmp_path / "out.onnx", "--route", "tf2onnx", "--config", WEAK, "--json",
        XDG_STATE_HOME=str(tmp_path / "state"),
    )  # fmt: skip
    assert called.code == 0, called.text
    predicate = called.json["predicate"]
    assert "searched inputs" in predicate["attempts"][0]["reason"]
    found = exporter(called)
    assert found["verdict"] == "different" and "that a search found" in found["reason"]
    assert [fault["layer"] for fault in found["faults"]] == ["rows"]
    (fault,) = predicate["faults"]
    assert fault["operator"] == "Gather" and predicate["searched"]["used_in_repair"] >= 1
