"""Parts of Keras, TensorFlow and TFLite models are cut natively, compute what they do within the model, and say what is left out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.program import KERAS, run_program

pytestmark = pytest.mark.converters
PROGRAM = Path(__file__).parent / "programs" / "parts.py"


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    printed = run_program(PROGRAM, tmp_path_factory.mktemp("parts"), modules=KERAS)
    return dict(json.loads(printed.splitlines()[-1]))


def test_a_part_computes_what_it_does_within_the_model(found: dict[str, Any]) -> None:
    assert found["keras equal"] and found["saved equal"] == [True, True] and found["lite equal"]


def test_inputs_and_outputs_of_a_part_are_named(found: dict[str, Any]) -> None:
    assert found["keras inputs"] == ["lookup_output", "side"]
    assert found["saved outputs"] == ["output_0", "output_1"]


def test_what_is_left_out_is_named(found: dict[str, Any]) -> None:
    assert found["keras"]["before"] == ["lookup (IntegerLookup)"] and found["keras"]["inputs"] == ["lookup_output"]
    assert found["texts"]["before"] == ["words (TextVectorization)"]
    assert any("LookupTableFindV2" in one for one in found["saved"]["before"])
    assert [one.rpartition("(")[2] for one in found["lite"]["before"]] == ["CONV_2D)", "MAX_POOL_2D)"]


def test_where_to_cut_behind_a_lookup_is_said(found: dict[str, Any]) -> None:
    assert found["host"] == {"layers": ["lookup (IntegerLookup)"], "begin": ["embedding"]}
    assert "words (TextVectorization)" in found["strings"] and "--from table" in found["strings"]
    assert "StringLower" in found["saved strings"] and "--from " in found["saved strings"]


def test_a_cut_that_would_change_the_function_is_refused(found: dict[str, Any]) -> None:
    assert "carries the mask of table" in found["mask"] and "--from table" in found["mask"]


def test_a_name_that_is_not_there_is_refused_with_the_nearest(found: dict[str, Any]) -> None:
    assert "did you mean embedding?" in found["no layer"]
    assert "no tensor is called pooled" in found["no tensor"]
