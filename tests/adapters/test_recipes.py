"""Bits by operator: what ai-edge-quantizer writes computes as it was told, and as TensorFlow's quantizer where nothing was told."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from safeconvert.errors import UnusableInput
from tests.program import KERAS, run_program

pytestmark = pytest.mark.converters
PROGRAM = Path(__file__).parent / "programs" / "recipe_files.py"
needs_extra = pytest.mark.skipif(
    importlib.util.find_spec("ai_edge_quantizer") is None, reason="the extra `recipes` is not installed"
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        run_program(PROGRAM, tmp_path_factory.mktemp("recipes"), modules=KERAS).splitlines()[-1]
    )
    return found


@needs_extra
def test_what_is_not_told_otherwise_computes_as_tensorflow_s_file(made: dict[str, Any]) -> None:
    files = made["files"]
    assert files["eight"]["off"] == pytest.approx(files["tensorflow"]["off"], rel=1e-6)
    assert files["uint8"]["ends"] == "uint8" and files["uint8"]["off"] == pytest.approx(files["eight"]["off"], rel=0.1)


@needs_extra
def test_each_operator_computes_as_its_recipe_says(made: dict[str, Any]) -> None:
    files = made["files"]
    assert files["sixteen"]["sixteen"] == [0, 1] == files["integers"]["sixteen"]
    assert files["sixteen"]["float"] == [] == files["integers"]["float"] and files["integers"]["ends"] == "int8"
    assert files["dynamic"]["float"] == [1] == files["float"]["float"]
    assert files["weights"]["float"] == [1] and files["weights"]["off"] <= files["dynamic"]["off"] * 1.05
    assert files["half"]["float"] == [1] and files["half"]["off"] == pytest.approx(files["float"]["off"], rel=0.01)
    assert files["weights"]["bytes"] < files["half"]["bytes"] < files["float"]["bytes"]
    assert max(files[key]["bytes"] for key in ("dynamic", "weights")) < files["float"]["bytes"], (
        "weights stay in eight bits"
    )
    assert files["sixteen"]["off"] < files["eight"]["off"]


@needs_extra
def test_whatever_is_told_of_the_last_operator_the_file_takes_and_gives_what_was_asked_for(
    made: dict[str, Any],
) -> None:
    """It was the operator's own kind: integers of 16 bits where float32 was asked for, float32 where int8 was."""
    assert len(made["ends"]) == 5
    assert all(found == [how.split()[1]] * 2 for how, found in made["ends"].items()), made["ends"]


@needs_extra
def test_no_tensor_has_a_name_that_tf2onnx_makes(made: dict[str, Any]) -> None:
    assert [one["taken"] for one in made["files"].values()] == [0] * len(made["files"])


@needs_extra
def test_what_can_be_told_of_each_operator_is_known(made: dict[str, Any]) -> None:
    assert made["means"]["version"]
    assert [len(made["means"][key]) for key in ("dynamic", "weights", "sixteen", "half")] == [3, 3, 3, 3]


@needs_extra
def test_a_range_of_least_error_leaves_rare_values_out(made: dict[str, Any]) -> None:
    assert made["narrower"] >= 2
    assert made["files"]["ranged"]["off"] < made["files"]["tensorflow"]["off"]


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from adapters.tflite import recipes

    monkeypatch.setitem(sys.modules, "ai_edge_quantizer", None)
    assert recipes.means_by_operator("m.tflite") == {
        "version": "",
        "dynamic": [],
        "weights": [],
        "sixteen": [],
        "half": [],
    }
    with pytest.raises(UnusableInput, match="ai-edge-quantizer") as raised:
        recipes.quantize("m.tflite", {}, "float32", str(tmp_path / "m.tflite"))
    assert "safeconvert[recipes]" in str(raised.value.advice)
