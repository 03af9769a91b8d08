"""Integer inputs: rows of the table that they index, numbers of both signs, or nothing known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from safeconvert.core.resources import data_folder
from safeconvert.workers._worker import load_adapter


def node(kind: str, *inputs: str, **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(kind, [*inputs], ["y"], kind, **attributes)


CASES = [
    ([node("Gather", "table", "x", axis=0)], (0, 7)),
    ([node("Mod", "x", "three")], (-9, 10)),
    ([node("Div", "three", "x")], (1, 10)),
    ([helper.make_node("Cast", ["x"], ["f"], "cast", to=1), node("Sigmoid", "f")], (-9, 10)),
    ([node("Reshape", "three", "x")], None),
    ([node("OneHot", "x", "three", "table")], None),
    ([helper.make_node("Add", ["x", "three"], ["s"], "sum"), node("Expand", "three", "s")], None),
]


@pytest.mark.parametrize(
    ("nodes", "expected"), CASES, ids=lambda value: value[-1].op_type if isinstance(value, list) else ""
)
def test_what_an_integer_input_takes(nodes: list[onnx.NodeProto], expected: object, tmp_path: Path) -> None:
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("x", TensorProto.INT64, ["n"])],
        [helper.make_empty_tensor_value_info("y")],
        [numpy_helper.from_array(np.zeros((7, 2), np.int64), "table"), numpy_helper.from_array(np.array([3]), "three")],
    )  # fmt: skip
    onnx.save(helper.make_model(graph), tmp_path / "m.onnx")
    adapter = load_adapter(str(data_folder("adapters") / "onnx"))
    assert adapter.input_ranges(str(tmp_path / "m.onnx")) == [expected]
