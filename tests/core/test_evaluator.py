"""What onnx' evaluator is given beside its own operators."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

from safeconvert.core.evaluator import evaluator


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_elements_are_gathered_along_axes_of_any_length(axis: int) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(100, 90)).astype(np.float32)
    at = rng.integers(-90, 90, (70, 80))
    node = helper.make_node("GatherElements", ["x", "at"], ["y"], axis=axis)
    given = [
        helper.make_tensor_value_info("x", TensorProto.FLOAT, [100, 90]),
        helper.make_tensor_value_info("at", TensorProto.INT64, [70, 80]),
    ]
    graph = helper.make_graph([node], "g", given, [helper.make_empty_tensor_value_info("y")])
    graph.output[0].type.tensor_type.elem_type = TensorProto.FLOAT
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    feeds = {"x": x, "at": at}
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    np.testing.assert_array_equal(evaluator(model).run(None, feeds)[0], session.run(None, feeds)[0])


def test_older_sets_have_dequantization() -> None:
    node = helper.make_node("DequantizeLinear", ["x", "s", "z"], ["y"])
    constants = [
        onnx.numpy_helper.from_array(np.asarray(v, t), n) for n, v, t in (("s", 0.5, np.float32), ("z", 3, np.uint8))
    ]
    given = [helper.make_tensor_value_info("x", TensorProto.UINT8, [2])]
    graph = helper.make_graph([node], "g", given, [helper.make_empty_tensor_value_info("y")], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    np.testing.assert_array_equal(evaluator(model).run(None, {"x": np.array([3, 7], np.uint8)})[0], [0.0, 2.0])
