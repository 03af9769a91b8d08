"""Samples at the numbers that a graph compares with, within branches too, and none of a graph that compares with nothing."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from safeconvert.graph.thresholds import Thresholds, at_thresholds, thresholds


def branching(asks: bool) -> onnx.ModelProto:
    """Compares with 1e5, and in a branch clips at 40 and asks for NaN."""
    made = helper.make_tensor_value_info("b", TensorProto.FLOAT, None)
    inner = [helper.make_node("Clip", ["x", "", "forty"], ["c"]), helper.make_node("IsNaN", ["c"], ["n"]),
             helper.make_node("Where", ["n", "forty", "c"], ["b"])]  # fmt: skip
    body = helper.make_graph(inner, "body", [], [made], [numpy_helper.from_array(np.float32(40), "forty")])
    nodes = [
        helper.make_node("ReduceMax", ["x"], ["m"], keepdims=0),
        helper.make_node("Greater", ["m", "far"], ["choice"]),
        helper.make_node("If", ["choice"], ["y"], then_branch=body, else_branch=body),
    ]
    plain = [helper.make_node("Relu", ["x"], ["y"])]
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 4]) for name in "xy")
    far = numpy_helper.from_array(np.float32(1e5), "far")
    return helper.make_model(helper.make_graph(nodes if asks else plain, "g", [x], [y], [far]))


def test_what_is_compared_with_is_found_in_branches_too() -> None:
    found = thresholds(branching(True))
    assert found.numbers == (40.0, 1e5) and np.isnan(found.nonfinite).tolist() == [True]
    assert thresholds(branching(False)) == Thresholds((), ())


def test_samples_lie_at_below_and_above_and_integers_stay() -> None:
    base = [[np.float32([1, 2, 3, 4]), np.int64([5, 6])]]
    made = at_thresholds(Thresholds((40.0,), (np.nan,)), base, seed=0)
    real = [sample[0] for sample in made]
    assert {float(row.max()) for row in real if np.isfinite(row).all()} == {36.0, 40.0, 44.0}
    assert sum(np.isnan(row).any() for row in real) == 2 and all(row.dtype == np.float32 for row in real)
    assert all(sample[1].tolist() == [5, 6] for sample in made)
    assert [sample[0].tolist() for sample in at_thresholds(Thresholds((40.0,), ()), base, seed=0)] == [
        row.tolist() for row in real[:6]
    ]
    assert at_thresholds(Thresholds((40.0,), ()), [[np.int64([5, 6])]], seed=0) == []
