"""A quantised graph without its rounding is the graph in real numbers, moves between the two halves of a pair or not."""

from __future__ import annotations

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from safeconvert.graph.rounding_pairs import without_rounding
from safeconvert.graph.view import GraphView, tidy


def quantised(other_scale: bool) -> GraphView:
    nodes = [
        helper.make_node("Relu", ["x"], ["r"], "relu"),
        helper.make_node("QuantizeLinear", ["r", "s", "z"], ["q"], "round"),
        helper.make_node("Transpose", ["q"], ["t"], "move", perm=[0, 2, 1]),
        helper.make_node("DequantizeLinear", ["t", "s2" if other_scale else "s", "z"], ["d"], "back"),
        helper.make_node("Tanh", ["d"], ["y"], "tanh"),
    ]
    values = {"s": np.float32(0.1), "s2": np.float32(0.3), "z": np.int8(0)}
    graph = helper.make_graph(
        nodes, "quantised", [helper.make_tensor_value_info("x", TensorProto.FLOAT, (1, 2, 3))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, (1, 3, 2))],
        [numpy_helper.from_array(np.array(value), name) for name, value in values.items()],
    )  # fmt: skip
    return tidy(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8))


@pytest.mark.parametrize("other_scale", [False, True])
def test_pairs_of_one_scale_are_left_out(other_scale: bool) -> None:
    left = [node.name for node in without_rounding(quantised(other_scale)).nodes]
    assert left == (["relu", "round", "move", "back", "tanh"] if other_scale else ["relu", "move", "tanh"])
