"""Whole numbers that only one of two graphs holds: in constants, their shapes and attributes, within bodies too."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from safeconvert.graph.own_sizes import own_sizes
from tests.onnx_models import model


def test_numbers_of_one_graph_alone_are_told_and_small_and_large_ones_are_not() -> None:
    plain = model([helper.make_node("MatMul", ["x", "w"], ["y"])], {"x": ["n", 40]}, ["y"], {"w": np.ones((40, 3))})
    assert own_sizes(plain, plain) == []
    cut = [helper.make_node("Slice", ["x", "zero", "end"], ["s"]), helper.make_node("MatMul", ["s", "w"], ["y"])]
    for end, told in ((128, [128]), (7, []), (10**9, []), (40, [])):
        other = model(
            cut, {"x": ["n", 40]}, ["y"], {"w": np.ones((40, 3)), "zero": np.array([0]), "end": np.array([end])}
        )
        assert own_sizes(plain, other) == told == own_sizes(other, plain)


def test_bodies_and_attributes_are_looked_into() -> None:
    made = helper.make_tensor_value_info("b", TensorProto.FLOAT, None)
    table = [numpy_helper.from_array(np.zeros((512, 2), np.float32), "t")]
    body = helper.make_graph([helper.make_node("Gather", ["t", "x"], ["b"])], "body", [], [made], table)
    choose = helper.make_node("If", ["c"], ["y"], then_branch=body, else_branch=body)
    parts = helper.make_node("Split", ["x"], ["y", "z"], split=[77, 3])
    x, y = (helper.make_tensor_value_info(name, TensorProto.INT64, ["n"]) for name in "xy")
    empty, one, two = (helper.make_model(helper.make_graph(nodes, "g", [x], [y])) for nodes in ([], [choose], [parts]))
    assert (own_sizes(empty, one), own_sizes(empty, two)) == ([512], [77])
