"""Wrong native targets, named, repaired in their own files and verified again, through the command line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.command import safeconvert
from tests.program import KERAS, TORCH, run_program
from tests.slow import first_of_every

pytestmark = pytest.mark.converters
PROGRAMS = Path(__file__).parent / "programs"

CASES = {
    "wrong.keras": ("model.keras", "weights patched in the keras file"),
    "wrong_saved_model": ("model.keras", "weights patched in the tf file"),
    "wrong.tflite": ("model.keras", "weights patched in the tflite file"),
    "wrong.pt2": ("model.onnx", "weights patched in the torch file"),
}


@pytest.fixture(scope="module")
def wrong(whole: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of targets of the small models, with one weight of the convolution changed."""
    folder = tmp_path_factory.mktemp("wrong")
    run_program(PROGRAMS / "changed_weights_keras.py", whole, folder, modules=KERAS)
    run_program(PROGRAMS / "changed_weights_torch.py", whole, folder, modules=TORCH)
    return folder


@pytest.mark.parametrize("name", first_of_every(3, CASES))
def test_a_changed_weight_is_patched_in_the_native_file(name: str, whole: Path, wrong: Path, tmp_path: Path) -> None:
    source, lift = CASES[name]
    out = tmp_path / name.replace("wrong", "fixed")
    called = safeconvert(
        "repair", whole / source, wrong / name, "-o", out, "--samples", "28", "--json",
        XDG_STATE_HOME=str(tmp_path / "state"),
    )  # fmt: skip
    assert called.code == 0, called.text
    predicate = called.json["predicate"]
    (fault,) = predicate["faults"]
    assert fault["kind"] == "WB" and fault["operator"] == "Conv" and fault["proven"]
    assert "1 of 108 values differ" in fault["evidence"]
    layers = {"model.keras": "conv2d", "model.onnx": ""}
    assert fault.get("source_layer", "") == layers[source] and fault["target_layer"]
    assert predicate["repair"]["lift"] == lift
    assert out.exists() and safeconvert("check", called.json["certificate"]).code == 0
    again = safeconvert("verify", whole / source, out, "--samples", "14", "--seed", "9")
    assert again.code == 0, again.text


def test_localize_names_the_node_and_writes_nothing(whole: Path, wrong: Path, tmp_path: Path) -> None:
    before = sorted(path.name for path in wrong.iterdir())
    called = safeconvert("localize", whole / "model.keras", "wrong.keras", "--samples", "14", cwd=wrong)
    assert called.code == 1, called.text
    assert "fault WB" in called.out and "(Conv)" in called.out and "isolated error" in called.out
    assert sorted(path.name for path in wrong.iterdir()) == before


def test_localize_of_a_right_target_finds_nothing(whole: Path, tmp_path: Path) -> None:
    called = safeconvert("localize", whole / "model.keras", whole / "model.tflite", "--samples", "14", "--json")
    assert called.code == 0, called.text
    assert called.json["predicate"]["faults"] == [] == called.json["predicate"]["trials"]


def test_unrelated_models_end_in_a_verdict(whole: Path, tmp_path: Path) -> None:
    called = safeconvert("repair", whole / "model.onnx", whole / "model.keras", "-o", tmp_path / "fixed.keras",
                         "--samples", "14", "--target-layout", "NCHW->NHWC")  # fmt: skip
    assert called.code in (0, 1, 2), called.text
    assert "Traceback" not in called.text
    assert (tmp_path / "fixed.keras").exists() == (called.code == 0)


@pytest.mark.slow
def test_layer_analysis_ranks_the_core_layers(whole: Path, wrong: Path) -> None:
    called = safeconvert("localize", whole / "model.keras", wrong / "wrong.keras", "--samples", "60", "--json",
                         "--layer-analysis", "onnxruntime")  # fmt: skip
    assert called.code == 1, called.text
    layers = called.json["predicate"]["layers"]
    assert {layer["elements"] for layer in layers} <= {144, 5} and len(layers) in (0, 2)
    assert [layer["rate"] for layer in layers] == sorted((layer["rate"] for layer in layers), reverse=True)
    few = safeconvert("localize", whole / "model.keras", wrong / "wrong.keras", "--samples", "4", "--layer-analysis",
                      "onnxruntime", "--min-held-out", "2")  # fmt: skip
    assert few.code == 1 and "layer analysis: no ranking" in few.out and "similar inputs; the test needs 3" in few.out
    refused = safeconvert("localize", whole / "model.keras", wrong / "wrong.keras", "--layer-analysis", "jax")
    assert refused.code == 2 and "onnxruntime" in refused.err
