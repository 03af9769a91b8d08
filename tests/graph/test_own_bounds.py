"""Bounds that only the target has."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

import safeconvert
from safeconvert.graph.own_bounds import own_bounds
from tests.scenarios.wrong_targets.pairs import graph, node

X = {"x": ("f", ["N", 4])}
NUMBERS = {"zero": np.array(0, "f4"), "six": np.array(6, "f4"), "far": np.array(1000, "f4"), "big": np.array(1e7, "f4")}


def _net(*last: onnx.NodeProto) -> onnx.ModelProto:
    return graph([node("MatMul", "x w", "h"), *last], X, ["y"], NUMBERS | {"w": np.ones((4, 4), "f4")})


RELU = _net(node("Relu", "h", "y"))


def test_a_bound_that_the_source_has_too_is_not_named_whatever_writes_it() -> None:
    clipped = _net(node("Relu", "h", "r"), node("Clip", "r zero six", "y"))
    assert own_bounds(clipped, _net(node("Clip", "h zero six", "y"))) == []
    assert [item.split()[-1] for item in own_bounds(RELU, clipped)] == ["6"]


def test_a_bound_that_keeps_numbers_finite_is_none() -> None:
    assert own_bounds(RELU, _net(node("Relu", "h", "r"), node("Clip", "r zero big", "y"))) == []


@pytest.mark.converters
@pytest.mark.parametrize(("bound", "named"), [("far", 1), ("zero", 0)])
def test_one_that_no_input_reached_is_a_remark(bound: str, named: int, tmp_path: Path) -> None:
    """Relu again, with a bound at a thousand, or with one at 0 from below, which it has anyway."""
    onnx.save(RELU, tmp_path / "source.onnx")
    last = node("Clip", "r zero far", "y") if bound == "far" else node("Clip", "r zero", "y")
    onnx.save(_net(node("Relu", "h", "r"), last), tmp_path / "target.onnx")
    outcome = safeconvert.verify(tmp_path / "source.onnx", tmp_path / "target.onnx", search=0)
    assert len([line for line in outcome.predicate["remarks"] if "a bound that only the target has" in line]) == named
