"""ONNX files that ONNX Runtime runs and onnx.checker refuses, or that few tools write any more, are converted like others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.command import safeconvert
from tests.slow import first_of_every

pytestmark = pytest.mark.converters
node = helper.make_node


def _model(nodes: list[onnx.NodeProto], opset: int, ir: int, among_inputs: bool = False) -> onnx.ModelProto:
    """x (n, 3) to y, which declares no shape; the initializer `w` among the inputs where asked."""
    weights = numpy_helper.from_array(np.arange(6, dtype="f4").reshape(3, 2) - 2.5, "w")
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3])]
    if among_inputs:
        inputs.insert(0, helper.make_tensor_value_info("w", TensorProto.FLOAT, [3, 2]))
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)]
    opsets = [helper.make_opsetid("ai.onnx.ml", 2), helper.make_opsetid("", opset)]
    graph = helper.make_graph(nodes, "g", inputs, outputs, [weights])
    return helper.make_model(graph, opset_imports=opsets, ir_version=ir)


def models() -> dict[str, onnx.ModelProto]:
    """By what is odd about them, besides the missing shape of the output and the order of the opsets."""
    shape = node("Constant", [], ["s"], value=numpy_helper.from_array(np.array([1, -1, 2]), "s"))
    rows = [
        node("MatMul", ["x", "w"], ["a"]), shape, node("Identity", ["s"], ["t"]), node("Reshape", ["a", "t"], ["b"]),
        node("Squeeze", ["b", "first"], ["y"]), node("Constant", [], ["first"], value=numpy_helper.from_array(np.array([0]), "f")),
    ]  # fmt: skip
    rows.insert(0, rows.pop())
    return {
        "shape": _model([node("MatMul", ["x", "w"], ["a"]), node("Relu", ["a"], ["y"])], 17, 8),
        "old": _model([node("MatMul", ["x", "w"], ["a"]), node("Relu", ["a"], ["y"])], 9, 3, among_inputs=True),
        "computed": _model(rows, 17, 8),
    }


@pytest.mark.parametrize(
    ("name", "target"), first_of_every(3, [("shape", "torch"), ("old", "keras"), ("computed", "torch")])
)
def test_it_is_converted(name: str, target: str, tmp_path: Path) -> None:
    onnx.save(models()[name], tmp_path / "m.onnx")
    suffix = {"torch": ".pt2", "keras": ".keras"}[target]
    called = safeconvert(
        f"onnx2{target}", tmp_path / "m.onnx", "-o", tmp_path / f"m{suffix}", "--samples", "14", "--json"
    )
    assert called.code == 0, called.text
