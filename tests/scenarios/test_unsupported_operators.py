"""ONNX models that no converter expresses: exit code 3, the operator, its node, and why each route failed."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from tests.command import safeconvert
from tests.program import TORCH, run_program

pytestmark = pytest.mark.converters
PROGRAMS = Path(__file__).parent / "programs"


def custom(path: Path) -> Path:
    """An operator of a domain that nobody knows; ONNX Runtime does not load it either."""
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 4]) for name in "xy")
    nodes = [
        helper.make_node("Relu", ["x"], ["a"], name="first"),
        helper.make_node("Frobnicate", ["a"], ["y"], name="odd_one", domain="com.example"),
    ]
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.example", 1)]
    model = helper.make_model(helper.make_graph(nodes, "g", [x], [y]), opset_imports=opsets, ir_version=9)
    onnx.save(model, path)
    return path


def growing(path: Path) -> Path:
    """A loop that doubles its tensor at each turn, as often as the input says; ONNX Runtime runs it."""
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4]) for name in "xy")
    index, go_in, go_out = (
        helper.make_tensor_value_info(name, kind, [])
        for name, kind in (("i", TensorProto.INT64), ("go", TensorProto.BOOL), ("on", TensorProto.BOOL))
    )
    held, grown = (
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [size]) for name, size in (("v", "k"), ("w", "m"))
    )
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["on"]), helper.make_node("Concat", ["v", "v"], ["w"], axis=0, name="grow")],
        "body", [index, go_in, held], [go_out, grown],
    )  # fmt: skip
    nodes = [
        helper.make_node("ArgMax", ["x"], ["turn"], name="turn", axis=1, keepdims=0),
        helper.make_node("Squeeze", ["turn"], ["turns"], name="turns"),
        helper.make_node("Reshape", ["x", "flat_shape"], ["flat"], name="flat"),
        helper.make_node("Loop", ["turns", "yes", "flat"], ["grown"], name="doubling", body=body),
        helper.make_node("ReduceSum", ["grown"], ["sum"], name="sum", keepdims=0),
        helper.make_node("Mul", ["x", "sum"], ["y"], name="scale"),
    ]
    constants = [
        helper.make_tensor("yes", TensorProto.BOOL, [], [True]),
        helper.make_tensor("flat_shape", TensorProto.INT64, [1], [-1]),
    ]
    graph = helper.make_graph(nodes, "g", [x], [y], constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return path


CASES = [
    (custom, "torch", "com.example::Frobnicate", "odd_one"),
    (custom, "tflite", "com.example::Frobnicate", "odd_one"),
    (growing, "keras", "Loop", "doubling"),
    (growing, "tf", "Loop", "doubling"),
]


@pytest.mark.parametrize(("make", "target", "operator", "node"), CASES, ids=[f"{c[0].__name__}-{c[1]}" for c in CASES])
def test_it_is_said_which_operator_at_which_node_and_why_each_route_failed(
    make, target: str, operator: str, node: str, tmp_path: Path
) -> None:
    model = make(tmp_path / "model.onnx")
    # an empty place for environments: what is not installed has to be offered
    called = safeconvert(
        f"onnx2{target}", model, "--samples", "8", "--json",
        XDG_STATE_HOME=str(tmp_path / "state"), XDG_DATA_HOME=str(tmp_path / "data"),
    )  # fmt: skip
    assert called.code == 3, called.text
    found = called.json
    assert found["verdict"] == "no_route" and f"operator {operator} at node {node}" in found["reason"]
    assert (operator, node) in [(one["operator"], one["node"]) for one in found["obstacles"]]
    assert len(found["attempts"]) >= 2, "a converter and a last resort at least"
    for attempt in found["attempts"]:
        assert attempt["outcome"] in ("crashed", "skipped") and attempt["reason"]
    if target in ("tf", "tflite"):
        assert "safeconvert adapters install onnx2tf" in [offer["command"] for offer in found["offers"]]
    assert {path.name for path in tmp_path.iterdir()} <= {"model.onnx", "state"}


def test_an_operator_that_onnx_lacks_is_named_with_its_layer(tmp_path: Path) -> None:
    run_program(PROGRAMS / "singular_values.py", tmp_path / "m.pt2", modules=TORCH)
    called = safeconvert("torch2onnx", tmp_path / "m.pt2", "--json", XDG_STATE_HOME=str(tmp_path / "state"))
    assert called.code == 3, called.text
    assert "operator aten._linalg_svd at layer spectrum._linalg_svd: " in called.json["reason"]
