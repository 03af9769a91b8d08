"""Constants are evaluated whatever operator set they are written in."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from safeconvert.graph.view import tidy


@pytest.mark.parametrize("opset", [13, 17, 19, 21])
def test_quantised_weights_become_floats(opset: int) -> None:
    weights = np.array([[-4, 2], [7, 1], [3, -128]], np.int8)
    scales, zeros = np.array([0.5, 0.25], np.float32), np.array([1, -1], np.int8)
    graph = helper.make_graph(
        [
            helper.make_node("DequantizeLinear", ["w", "s", "z"], ["real"], "unpack", axis=1),
            helper.make_node("MatMul", ["x", "real"], ["y"], "product"),
        ],
        "quantised",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, (1, 3))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, (1, 2))],
        [numpy_helper.from_array(value, name) for name, value in (("w", weights), ("s", scales), ("z", zeros))],
    )
    view = tidy(helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8))
    assert [node.op_type for node in view.nodes] == ["MatMul"]
    wanted = (weights.astype(np.float32) - zeros.astype(np.float32)) * scales
    assert np.array_equal(view.constants["real"], wanted)
    assert onnx.checker.check_model(view.model) is None
