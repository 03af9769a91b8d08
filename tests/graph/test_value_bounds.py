"""Bounds hold on random graphs and inputs; what no input can exercise is found, and nothing else is."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from safeconvert.graph.bound_rules import RULES, Operands, bound_of, of_constant
from safeconvert.graph.coverage import Coverage
from safeconvert.graph.value_bounds import constant_elements, value_bounds

Array = np.ndarray


def model(nodes: list[onnx.NodeProto], code: int, shape: list[str | int], **constants: Array) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes, "g", [helper.make_tensor_value_info("x", code, shape)], [helper.make_empty_tensor_value_info("y")],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )  # fmt: skip
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def node(kind: str, inputs: str, output: str, **attributes: object) -> onnx.NodeProto:
    return helper.make_node(kind, inputs.split(), [output], f"{kind}_{output}", **attributes)


STEPS = [
    ("Relu", "{0}", {}), ("Clip", "{0} zero six", {}), ("Sigmoid", "{0}", {}), ("Tanh", "{0}", {}), ("Neg", "{0}", {}),
    ("Abs", "{0}", {}), ("Add", "{0} b", {}), ("Sub", "b {0}", {}), ("Mul", "{0} b", {}), ("MatMul", "{0} w", {}),
    ("Gemm", "{0} w b", {}), ("Gemm", "{0} w b", {"transB": 1}), ("Softmax", "{0}", {"axis": -1}), ("Div", "{0} six", {}),
    ("Add", "{0} {0}", {}), ("Mul", "{0} {0}", {}), ("Max", "{0} b zero", {}), ("Min", "{0} b six", {}), ("Floor", "{0}", {}),
    ("Concat", "{0} {0}", {"axis": 0}), ("Exp", "{0}", {}), ("Where", "cond {0} b", {}),
]  # fmt: skip


@pytest.mark.parametrize("seed", range(60))
def test_values_of_random_graphs_lie_within_their_bounds(seed: int) -> None:
    random = np.random.default_rng(seed)
    constants = {"zero": np.float32(0), "six": np.float32(6), "b": random.normal(size=4).astype("f4"),
                 "w": random.normal(size=(4, 4)).astype("f4"), "cond": np.array([True, False, True, False])}  # fmt: skip
    nodes, last = [node("Tanh" if seed % 2 else "Sigmoid", "x", "t0")], "t0"
    for number in range(5):
        kind, inputs, attributes = STEPS[int(random.integers(len(STEPS)))]
        nodes.append(node(kind, inputs.format(last), f"t{number + 1}", **attributes))
        last = f"t{number + 1}"
    made = model([*nodes, node("Identity", last, "y")], TensorProto.FLOAT, [3, 4], **constants)
    bounds = value_bounds(made)
    made.graph.output.extend(helper.make_empty_tensor_value_info(one.output[0]) for one in nodes)
    session = onnxruntime.InferenceSession(made.SerializeToString())
    for scale in (1, 30, 1000):
        fed = {"x": (random.normal(size=(3, 4)) * scale).astype("f4")}
        for value, array in zip(session.get_outputs(), session.run(None, fed), strict=True):
            low, high = bounds[value.name]
            room = 1e-5 * (1 + np.abs(array))
            assert (array >= low - room).all() and (array <= high + room).all(), value.name


def test_every_rule_gives_a_bound_of_all_numbers_or_less() -> None:
    everything = (np.asarray(-np.inf), np.asarray(np.inf))
    for kind in RULES:
        found = bound_of(kind, Operands([everything] * 3, [None] * 3, {}))
        assert found is None or (found[0] <= found[1]).all()


def test_rows_that_no_remainder_reaches_are_no_rows_to_reach() -> None:
    nodes = [node("Mod", "x d", "r"), node("Add", "r shift", "i"), node("Gather", "table i", "y")]
    coverage = Coverage(
        model(nodes, TensorProto.INT64, ["n", 5], d=np.int64(3), shift=np.int64(12), table=np.zeros((40, 2), "f4"))
    )
    assert [item for item in coverage.items if item.startswith("rows")] == ["rows 12 to 14 of table table"]
    assert "rows 10 to 11 of table table" in coverage.impossible


def test_a_softmax_that_is_always_saturated_has_nothing_to_exercise() -> None:
    nodes = [node("Clip", "x zero six", "c"), node("Gemm", "c w b", "l"), node("Softmax", "l", "y", axis=1)]
    kept = {"zero": np.float32(0), "six": np.float32(6), "w": np.eye(3, dtype="f4")}
    always = Coverage(model(nodes, TensorProto.FLOAT, ["n", 3], b=np.float32([60, 0, 0]), **kept))
    seldom = Coverage(model(nodes, TensorProto.FLOAT, ["n", 3], b=np.float32([3, 0, 0]), **kept))
    item = "Softmax Softmax_y not saturated"
    assert item in always.impossible and item in seldom.items
    assert always.constant["y"][0] and not any(seldom.constant["y"])


def test_a_constant_has_the_bounds_of_its_columns() -> None:
    low, high = of_constant(np.array([[1.0, 5.0], [2.0, 4.0]])) or ((), ())
    assert list(low) == [1, 4] and list(high) == [2, 5]
    assert constant_elements({"y": (np.array([1.0, 0.0]), np.array([1.0, 1.0]))}, "y") == [True, False]
