"""What inputs exercise of a graph: sides of activations, bounds and comparisons, rows of tables, signs, saturation."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from safeconvert.graph.coverage import Coverage


def model(nodes: list[onnx.NodeProto], code: int, **constants: np.ndarray) -> onnx.ModelProto:
    """Nodes from an input x of two columns to an output y."""
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("x", code, ["n", 2])], [helper.make_empty_tensor_value_info("y")],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def node(kind: str, *inputs: str, **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(kind, [*inputs], ["y"], "it", **attributes)


REAL, INTEGER = TensorProto.FLOAT, TensorProto.INT64
CASES = [
    ([node("Relu", "x")], REAL, {}, [[1.0, 2.0]], {"Relu it above 0"}),
    ([node("Relu", "x")], REAL, {}, [[1.0, -2.0]], {"Relu it above 0", "Relu it below 0"}),
    ([node("Clip", "x", "low", "high")], REAL, {"low": np.float32(0), "high": np.float32(6)}, [[1.0, 7.0]], {"Clip it above 6"}),
    ([node("Greater", "x", "low")], REAL, {"low": np.float32(0)}, [[1.0, 7.0]], {"Greater it true"}),
    ([node("Greater", "x", "low")], REAL, {"low": np.float32(0)}, [[1.0, -7.0]], {"Greater it true", "Greater it false"}),
    ([node("Div", "x", "two")], INTEGER, {"two": np.array(2)}, [[3, 4]], {"Div it dividend above 0"}),
    ([node("Gather", "t", "x")], INTEGER, {"t": np.zeros((3, 2))}, [[0, -1]], {"rows 0 to 0 of table t", "rows 2 to 2 of table t"}),
    ([node("Sigmoid", "x")], REAL, {}, [[50.0, -50.0]], set()),
    ([node("Softmax", "x", axis=1)], REAL, {}, [[50.0, 0.0], [1.0, 1.0]], {"Softmax it not saturated"}),
    ([node("Softmax", "x", axis=1)], REAL, {}, [[50.0, 0.0], [0.0, 90.0]], set()),
]  # fmt: skip


@pytest.mark.parametrize(("nodes", "code", "constants", "fed", "expected"), CASES)
def test_what_one_call_exercises(
    nodes: list[onnx.NodeProto], code: int, constants: dict[str, np.ndarray], fed: list[list[float]], expected: set[str]
) -> None:
    coverage = Coverage(model(nodes, code, **constants))
    items = {item for point in coverage.points for item in point.items()}
    found = coverage.exercised([np.array(fed, dtype=np.int64 if code == INTEGER else np.float32)])
    assert found == expected and found <= items


def test_stretches_of_a_long_table_are_a_few(tmp_path: object) -> None:
    coverage = Coverage(model([node("Gather", "t", "x")], INTEGER, t=np.zeros((1000, 2))))
    items = [item for point in coverage.points for item in point.items()]
    assert len(items) == 16 and items[-1] == "rows 938 to 999 of table t"
    assert coverage.exercised([np.array([[999, 938]])]) == {items[-1]}


def test_sizes_are_nothing_to_exercise() -> None:
    nodes = [helper.make_node("Shape", ["x"], ["s"]), node("Greater", "s", "low")]
    with pytest.raises(RuntimeError, match="two sides"):
        Coverage(model(nodes, REAL, low=np.array(0)))
