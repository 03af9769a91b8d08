"""Functions that TFLite has no operator for reach it in those that it has."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from tests.command import safeconvert

pytestmark = pytest.mark.converters
READS = {
    "x": ("Atan", "Tan", "Sinh", "Cosh", "Asinh", "Erf"),
    "inner": ("Asin", "Acos", "Atanh"),  # within ±0.9
    "outer": ("Acosh",),  # from 1 on
}


def _model() -> onnx.ModelProto:
    nodes = [
        helper.make_node("Softsign", ["x"], ["within"]),
        helper.make_node("Mul", ["within", "most"], ["inner"]),
        helper.make_node("Abs", ["x"], ["size"]),
        helper.make_node("Add", ["size", "one"], ["outer"]),
        *(helper.make_node(kind, [name], [kind], name=kind) for name, kinds in READS.items() for kind in kinds),
        helper.make_node("Concat", [kind for kinds in READS.values() for kind in kinds], ["y"], axis=-1),
    ]
    graph = helper.make_graph(
        nodes, "functions",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 30])],
        [helper.make_tensor(name, TensorProto.FLOAT, [], [value]) for name, value in (("one", 1.0), ("most", 0.9))],
    )  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def test_they_are_verified_in_tflite(tmp_path: Path) -> None:
    onnx.save(_model(), tmp_path / "model.onnx")
    called = safeconvert("onnx2tflite", tmp_path / "model.onnx", "-o", tmp_path / "model.tflite", "--samples", "16")
    assert called.code == 0, called.text
