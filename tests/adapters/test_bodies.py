"""Bodies that depend on the model's inputs, in the last resort: both branches of an If, a Loop that stops when the data say so."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from safeconvert.adapter_api.protocol import ConvertRequest, ModelRequest
from tests.command import ROOT
from tests.onnx_models import run

torch = pytest.importorskip("torch")
sys.path.insert(0, str(ROOT))

from adapters.torch_ops.adapter import convert  # noqa: E402 - adapters are no package of the project's

node = helper.make_node


def _value(name: str, kind: int = TensorProto.FLOAT, shape: list[int] | None = None) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, [1, 3] if shape is None else shape)


def branching(shape_of_else: int) -> onnx.ModelProto:
    """tanh of x where its sum is positive, else x doubled, `shape_of_else` times side by side."""
    then = helper.make_graph([node("Tanh", ["x"], ["t"])], "then", [], [_value("t")])
    other = helper.make_graph([node("Concat", ["x"] * shape_of_else, ["e0"], axis=1), node("Add", ["e0", "e0"], ["e"])], "else", [],
                              [_value("e", shape=[1, 3 * shape_of_else])])  # fmt: skip
    nodes = [
        node("ReduceSum", ["x"], ["sum"], keepdims=0),
        node("Greater", ["sum", "zero"], ["positive"]),
        node("If", ["positive"], ["y"], "choice", then_branch=then, else_branch=other),
    ]
    return _model(nodes, [helper.make_tensor("zero", TensorProto.FLOAT, [], [0.0])], ["y"])


def doubling() -> onnx.ModelProto:
    """x doubled at most five times, until its sum is beyond 20."""
    body = helper.make_graph(
        [node("Add", ["v", "v"], ["w"]), node("ReduceSum", ["w"], ["s"], keepdims=0), node("Less", ["s", "limit"], ["on"])], "body",
        [_value("i", TensorProto.INT64, []), _value("go", TensorProto.BOOL, []), _value("v")], [_value("on", TensorProto.BOOL, []), _value("w")])  # fmt: skip
    constants = [
        helper.make_tensor("limit", TensorProto.FLOAT, [], [20.0]),
        helper.make_tensor("most", TensorProto.INT64, [], [5]),
        helper.make_tensor("yes", TensorProto.BOOL, [], [True]),
    ]
    return _model([node("Loop", ["most", "yes", "x"], ["y"], "growing", body=body)], constants, ["y"])


def _model(nodes: list[onnx.NodeProto], constants: list[onnx.TensorProto], outputs: list[str]) -> onnx.ModelProto:
    graph = helper.make_graph(nodes, "g", [_value("x")], [_value(name) for name in outputs], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def resized() -> onnx.ModelProto:
    """Three pixels to 1.3 times ten: float32's 1.3 times 30 is 39 in float32 and less in float64."""
    scales = helper.make_tensor("scales", TensorProto.FLOAT, [2], [1.0, 1.3])
    made = [node("Concat", ["x"] * 10, ["row"], axis=1), node("Resize", ["row", "", "scales"], ["y"], mode="linear")]
    graph = helper.make_graph(made, "g", [_value("x")], [_value("y", shape=[1, 39])], [scales])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def _converted(model: onnx.ModelProto, folder: Path) -> torch.nn.Module:
    onnx.save(model, folder / "m.onnx")
    convert(ConvertRequest(ModelRequest(str(folder / "m.onnx")), str(folder / "m.pt2")).to_json())
    return torch.export.load(folder / "m.pt2").module()


@pytest.mark.parametrize("model", [branching(1), doubling(), resized()], ids=["If", "Loop", "Resize"])
def test_the_data_decide(model: onnx.ModelProto, tmp_path: Path) -> None:
    module = _converted(model, tmp_path)
    for x in ([0.1, 0.2, 0.3], [-1.0, -2.0, 0.5], [3.0, 2.0, 1.0], [30.0, 0.0, 0.0]):
        given = np.array([x], np.float32)
        np.testing.assert_allclose(
            module(torch.from_numpy(given))[0].numpy(), run(model, {"x": given})[0], rtol=1e-5, atol=1e-4
        )


def test_branches_of_other_shapes_are_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(NotImplementedError, match=r"operator If at node choice: .* \[1, 3\] and float32 \[1, 6\]"):
        _converted(branching(2), tmp_path)
