"""Targets in integers: calibrated on steering inputs, verified by labels or by a metric, the fewest operators left in float."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from tests.command import Called, safeconvert
from tests.program import KERAS, run_program

pytestmark = pytest.mark.converters
PROGRAMS = Path(__file__).parent / "programs"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("labelled")
    run_program(PROGRAMS / "labelled_net.py", made, modules=KERAS)
    return made


def convert(folder: Path, name: str, out: Path, *options: object) -> Called:
    pair = "keras2onnx" if out.suffix == ".onnx" else "keras2tflite"
    inputs = folder / name / "inputs.npy"
    return safeconvert(pair, folder / f"{name}.keras", "-o", out, "--inputs", inputs, "--search", 0, "--json", *options)


def made(called: Called) -> dict[str, Any]:
    assert called.code == 0, called.text
    predicate: dict[str, Any] = called.json["predicate"]
    return predicate


def test_the_least_is_done_about_the_fewest_operators(folder: Path, tmp_path: Path) -> None:
    predicate = made(convert(folder, "uneven", tmp_path / "m.tflite", "--optimize", "int8", "--max-drop", 0.05))
    assert predicate["attempts"][0]["outcome"] == "not_equivalent"
    found = predicate["quantization"]
    repairs = found["repairs"]
    assert 1 <= len(repairs) <= 2 and found["operators"] >= 6 and found["minimal"]
    assert all(one["without"] is not None and not one["without"]["equal"] for one in repairs), "each is needed"
    assert found["calibration"] == {"origin": "inputs.npy", "inputs": 300, "part": "steering"}
    proven = {fault["target"] for fault in predicate["faults"] if fault["proven"]}
    assert proven == {one["operator"] for one in repairs}
    assert {one["means"] for one in repairs} == {"weights in eight bits, results in float32"}
    assert proven == {name.partition(";")[0] for name in found["in_float"]}
    assert any("computes in float32 at" in line for line in predicate["obligations"])
    metric = predicate["metric"]
    assert metric["metric"] == "accuracy" and metric["samples"] == 300 and metric["upper"] <= 0.05
    assert metric["confidence"] == pytest.approx(0.96), "the held-out inputs have judged no other file"
    assert found["bytes"] - found["raw_bytes"] < 1000 < found["float_bytes"] - found["bytes"], (
        "weights stay in eight bits"
    )
    latency = found["latency"]
    assert latency["calls"] > 0 and min(latency[key] for key in ("float_ms", "raw_ms", "target_ms")) > 0


@pytest.mark.slow
def test_sixteen_bits_of_few_operators_where_nothing_may_be_float(folder: Path, tmp_path: Path) -> None:
    """Integers are all that the hardware knows, and the bound allows what eight bits lose: most of it is had back by 16 bits."""
    target = tmp_path / "m.tflite"
    predicate = made(
        convert(
            folder, "uneven", target, "--optimize", "int8", "--io", "int8", "--max-drop", 0.2, "--config", few(tmp_path)
        )
    )
    found = predicate["quantization"]
    assert found["in_float"] == [] and 1 <= len(found["in_sixteen"]) <= 3
    assert found["aimed"]["after"] < found["aimed"]["before"] / 4 and found["aimed"]["work"] == 0
    assert {one["means"] for one in found["repairs"]} <= {"16-bit activations", "range of least error"}
    assert "ai-edge-quantizer" in found["written_by"]
    kinds = [tensor["dtype"] for tensor in Interpreter(str(target)).get_input_details()]
    assert kinds == [np.int8]


@pytest.mark.slow
def test_what_is_within_the_bound_is_left_as_it_is_where_nothing_within_the_share_surely_loses_less(
    folder: Path, tmp_path: Path
) -> None:
    """Most of the work is in the operators that lose most; the others change a label or two."""
    target = tmp_path / "m.tflite"
    predicate = made(convert(folder, "uneven", target, "--optimize", "int8", "--max-drop", 0.2))
    found = predicate["quantization"]
    assert "aimed" not in found and "repairs" not in found and found["in_float"] == []
    assert [one["outcome"] for one in predicate["attempts"]] == ["verified"]
    assert predicate["metric"]["confidence"] == pytest.approx(0.96)


def few(folder: Path) -> Path:
    """Settings in which any operator may be repaired for the aim, however much of the work it is."""
    written = folder / "few.toml"
    written.write_text("[quantize]\naimed_share = 1.0\n")
    return written


@pytest.mark.slow
def test_integers_go_in_and_out(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "m.tflite"
    predicate = made(convert(folder, "even", target, "--optimize", "int8", "--io", "uint8", "--max-drop", 0.05))
    assert predicate["quantization"]["in_float"] == [] and predicate["quantization"]["io"] == "uint8"
    stored = [line for line in predicate["obligations"] if "stores real values as uint8: real = " in line]
    assert len(stored) == 2, "input and output"
    assert predicate["fidelity"][0]["steps"] is not None
    again = safeconvert(
        "verify",
        folder / "even.keras",
        target,
        "--inputs",
        folder / "even" / "inputs.npy",
        "--max-drop",
        0.05,
        "--json",
    )
    assert again.code == 0, again.text
    assert again.json["predicate"]["metric"]["confidence"] == 0.95
    strict = safeconvert("verify", folder / "even.keras", target, "--inputs", folder / "even" / "inputs.npy", "--json")
    assert strict.code == 1 and strict.json["predicate"]["fidelity"][0]["steps"] > 0


@pytest.mark.slow
def test_sixteen_bits_keep_every_label(folder: Path, tmp_path: Path) -> None:
    predicate = made(
        convert(
            folder, "even", tmp_path / "m.tflite", "--optimize", "int16x8", "--metric", "agreement", "--max-drop", 0.05
        )
    )
    assert predicate["metric"]["metric"] == "agreement" and predicate["metric"]["source"] == 1


@pytest.mark.slow
def test_sixteen_bits_where_tensorflow_s_quantizer_fails(tmp_path: Path) -> None:
    run_program(PROGRAMS / "tokens.py", tmp_path, modules=KERAS)
    called = safeconvert(
        "keras2tflite", tmp_path / "tokens.keras", "-o", tmp_path / "m.tflite", "--inputs", tmp_path / "inputs.npy",
        "--optimize", "int16x8", "--max-drop", 0.05, "--search", 0, "--json",
    )  # fmt: skip
    found = made(called)["quantization"]
    assert len(found["in_sixteen"]) > len(found["in_float"])


@pytest.mark.slow
def test_an_onnx_target_is_quantised_by_onnx_runtime(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "m.onnx"
    predicate = made(convert(folder, "uneven", target, "--optimize", "int8", "--max-drop", 0.05))
    import onnx

    graph, found = onnx.load(target).graph, predicate["quantization"]
    kinds = [node.op_type for node in graph.node]
    assert "QuantizeLinear" in kinds and "DequantizeLinear" in kinds
    assert 1 <= len(found["in_float"]) < found["operators"]
    kept = [node for node in graph.node if node.name in found["in_float"]]
    assert found["biases_corrected"] and all(node.input[2].endswith("/own") for node in kept), "as before correction"


@pytest.mark.slow
def test_weights_alone_in_eight_bits_are_decided_by_the_metric_too(folder: Path, tmp_path: Path) -> None:
    predicate = made(convert(folder, "uneven", tmp_path / "m.tflite", "--optimize", "int8-weights", "--max-drop", 0.05))
    found = predicate["quantization"]
    assert found["optimize"] == "int8-weights" and "calibration" not in found
    assert found["bytes"] == (tmp_path / "m.tflite").stat().st_size < found["float_bytes"]


def test_weights_in_eight_bits_have_the_aim_too(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "m.tflite"
    options = ("--optimize", "int8-weights", "--max-drop", 0.2, "--config", few(tmp_path))
    predicate = made(convert(folder, "uneven", target, *options))
    found = predicate["quantization"]
    assert found["aimed"]["after"] < found["aimed"]["before"] and 0 < found["aimed"]["work"] <= 1
    assert 1 <= len(found["in_float"]) < found["layers"] and found["raw_bytes"] < found["bytes"] < found["float_bytes"]
    assert [one["operator"] for one in found["repairs"]] == found["in_float"]
    proven = {fault["target"] for fault in predicate["faults"] if fault["proven"]}
    assert proven == set(found["in_float"])


@pytest.mark.slow
def test_what_loses_too_much_is_refused_where_nothing_may_stay_in_float(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "m.tflite"
    called = convert(folder, "uneven", target, "--optimize", "int8", "--max-drop", 0.05, "--no-repair")
    assert called.code == 1 and not target.exists()
    assert "accuracy" in called.json["reason"] and "5 % allowed" in called.json["reason"]


@pytest.mark.slow
def test_too_few_inputs_show_nothing(folder: Path, tmp_path: Path) -> None:
    called = convert(folder, "even", tmp_path / "m.tflite", "--optimize", "int8", "--max-drop", 0.001)
    assert called.code == 4 and "it takes" in called.text


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--optimize", "int8"), "none are given"),
        (("--optimize", "int4"), "unknown"),
        (("--io", "int8"), "--optimize int8"),
        (("--max-drop", "0.1"), "as many bits as its source"),
        (("--optimize", "default", "--max-drop", "0.1"), "nothing on generated inputs"),
        (("--optimize", "int8", "--max-drop", "1.5"), "between 0 and 1"),
    ],
)
def test_what_cannot_be_asked_is_refused_at_once(options: tuple[str, ...], says: str, tmp_path: Path) -> None:
    (tmp_path / "m.keras").write_bytes(b"")
    called = safeconvert("keras2tflite", tmp_path / "m.keras", *options)
    assert called.code == 2 and says in called.text


def test_targets_that_no_quantizer_makes_are_refused(tmp_path: Path) -> None:
    called = safeconvert("keras2torch", tmp_path / "m.keras", "--optimize", "int8", "--inputs", tmp_path)
    assert called.code == 2 and "not for torch" in called.text


@pytest.mark.slow
@pytest.mark.parametrize("suffix", ["tflite", "onnx"])
def test_each_input_is_calibrated_on_its_own_values(suffix: str, tmp_path: Path) -> None:
    """Fed to the other one, the small input would have steps of its whole range, and the large one be cut off."""
    run_program(PROGRAMS / "two_inputs.py", tmp_path, modules=KERAS)
    called = safeconvert(
        f"keras2{suffix}", tmp_path / "two.keras", "-o", tmp_path / f"m.{suffix}", "--inputs", tmp_path / "inputs.npz",
        "--optimize", "int8", "--max-drop", 0.08, "--no-repair", "--search", 0, "--json",
    )  # fmt: skip
    assert called.code == 0, called.text
    assert called.json["predicate"]["metric"]["metric"] == "agreement"


def _verified(folder: Path, inputs: Path, drop: float) -> Called:
    """The uneven file against the even one, on the inputs of another folder."""
    pair = folder / "even.keras", folder / "uneven.keras"
    return safeconvert("verify", *pair, "--inputs", inputs / "inputs.npy", "--max-drop", drop)


def test_labels_that_are_not_the_model_s_show_nothing(folder: Path, tmp_path: Path) -> None:
    """A source that is never right has nothing to lose, and everything would pass."""
    (tmp_path / "inputs.npy").write_bytes((folder / "even" / "inputs.npy").read_bytes())
    rows = [line.split(",") for line in (folder / "even" / "labels.csv").read_text().splitlines()[1:]]
    shifted = [f"{row},{(int(label) + 1) % 10}" for row, label in rows]
    (tmp_path / "labels.csv").write_text("\n".join(shifted))
    called = _verified(folder, tmp_path, 0.05)
    assert called.code == 4 and "shows nothing" in called.text and "own numbering" in called.text


def test_too_few_held_out_inputs_are_counted_and_the_next_step_is_said(folder: Path) -> None:
    """Of ten inputs the source's own accuracy says nothing either, and other labels would not help."""
    pair = folder / "even.keras", folder / "uneven.keras"
    few = "--inputs", folder / "even" / "inputs.npy", "--samples", 20
    called = safeconvert("verify", *pair, *few, "--max-drop", 0.01)
    assert called.code == 4, called.text
    assert (
        "10 held-out inputs" in called.text
        and "it takes 321" in called.text
        and "10 distinct ones are held out of 20" in called.text
    )
    assert "raise --samples to 642" in called.text and "own numbering" not in called.text
    shown = called.text.partition("--max-drop 0.01")[2].partition("--max-drop ")[2].split()[0]
    again = safeconvert("verify", *pair, *few, "--max-drop", shown)
    assert "it takes" not in again.text


def test_inputs_without_a_label_show_nothing_of_an_accuracy(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "inputs.npy").write_bytes((folder / "even" / "inputs.npy").read_bytes())
    (tmp_path / "labels.csv").write_text("\n".join((folder / "even" / "labels.csv").read_text().splitlines()[:101]))
    called = _verified(folder, tmp_path, 0.01)
    assert called.code == 4 and "without a label" in called.text and "with labels or more" in called.text, called.text
