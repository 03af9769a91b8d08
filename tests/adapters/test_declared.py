"""What converters declare to refuse is what they do not know, and routes are skipped by it."""

from __future__ import annotations

import json
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

import safeconvert
from safeconvert.errors import NoRoute
from safeconvert.registry.manifest import adapters, find
from tests.program import KERAS, TORCH, run_program

pytestmark = pytest.mark.converters


def test_onnx2keras_knows_none_of_what_it_refuses(tmp_path: Path) -> None:
    known = set(json.loads(run_program(Path(__file__).parent / "programs" / "known_operators.py", modules=KERAS)))
    refuses = set(find("onnx2keras", adapters()).refuses)
    assert known and "Where" in refuses
    assert not known & refuses


def test_onnx2torch_knows_none_of_what_it_refuses() -> None:
    program = Path(__file__).parent / "programs" / "known_to_onnx2torch.py"
    refuses = find("onnx2torch", adapters()).refuses
    assert "Trilu" in refuses
    assert json.loads(run_program(program, "Relu", *refuses, modules=TORCH)) == ["Relu"]


@pytest.fixture
def largest(tmp_path: Path) -> Path:
    """The largest value of each channel as ONNX."""
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 3, size, size])
        for name, size in (("x", 4), ("y", 1))
    ]
    node = helper.make_node("GlobalMaxPool", ["x"], ["y"], "largest")
    graph = helper.make_graph([node], "g", ends[:1], ends[1:])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), tmp_path / "m.onnx")
    return tmp_path / "m.onnx"


def test_onnx2torch_is_not_started_for_what_it_refuses(largest: Path, tmp_path: Path) -> None:
    found = safeconvert.convert(largest, "torch", output=tmp_path / "m.pt2", samples=16)
    (skipped,) = (attempt for attempt in found.attempts if attempt.outcome == "skipped")
    assert skipped.reason == "onnx2torch does not take operator GlobalMaxPool at node largest" and skipped.seconds == 0
    assert found.attempts[-1].outcome == "verified"
    with pytest.raises(NoRoute, match="onnx2torch failed while converting"):
        safeconvert.convert(largest, "torch", output=tmp_path / "other.pt2", samples=16, route="onnx2torch")


@pytest.fixture
def comparing(tmp_path: Path) -> Path:
    """Where(x > 0, x, 0) as ONNX."""
    zero = helper.make_tensor("zero", TensorProto.FLOAT, [], [0.0])
    nodes = [
        helper.make_node("Greater", ["x", "zero"], ["positive"], "positive"),
        helper.make_node("Where", ["positive", "x", "zero"], ["y"], "chosen"),
    ]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 4]) for name in "xy"]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], [zero])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), tmp_path / "m.onnx")
    return tmp_path / "m.onnx"


def test_a_route_that_is_refused_is_skipped_with_its_reason(comparing: Path, tmp_path: Path) -> None:
    found = safeconvert.convert(comparing, "tflite", output=tmp_path / "m.tflite", samples=16)
    skipped = [attempt for attempt in found.attempts if attempt.outcome == "skipped"]
    assert skipped and found.attempts[-1].outcome == "verified"
    for attempt in skipped:
        assert attempt.route.startswith("onnx2keras") and attempt.seconds == 0
        assert attempt.reason == (
            "onnx2keras does not take operator Greater at node positive, operator Where at node chosen"
        )


def test_a_route_that_is_asked_for_is_tried(comparing: Path, tmp_path: Path) -> None:
    with pytest.raises(NoRoute, match="onnx2keras failed while converting"):
        safeconvert.convert(
            comparing, "tflite", output=tmp_path / "m.tflite", samples=16, route="onnx2keras,tflite_converter"
        )
