"""Samples at the numbers that a graph compares with, within branches too, and none of a graph that compares with nothing."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from safeconvert.graph.thresholds import Thresholds, at_thresholds, other_turns, thresholds
from tests.onnx_models import model


def branching(asks: bool) -> onnx.ModelProto:
    """Compares with 1e5, and in a branch clips at 40 and asks for NaN."""
    made = helper.make_tensor_value_info("b", TensorProto.FLOAT, None)
    inner = [helper.make_node("Clip", ["x", "", "forty"], ["c"]), helper.make_node("IsNaN", ["c"], ["n"]),
             helper.make_node("Where", ["n", "forty", "c"], ["b"])]  # fmt: skip
    body = helper.make_graph(inner, "body", [], [made], [numpy_helper.from_array(np.float32(40), "forty")])
    nodes = [
        helper.make_node("ReduceMax", ["x"], ["m"], keepdims=0),
        helper.make_node("Greater", ["m", "far"], ["choice"]),
        helper.make_node("If", ["choice"], ["y"], then_branch=body, else_branch=body),
    ]
    plain = [helper.make_node("Relu", ["x"], ["y"])]
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 4]) for name in "xy")
    far = numpy_helper.from_array(np.float32(1e5), "far")
    return helper.make_model(helper.make_graph(nodes if asks else plain, "g", [x], [y], [far]))


def test_what_is_compared_with_is_found_in_branches_too() -> None:
    found = thresholds(branching(True))
    assert found.numbers == (40.0, 1e5) and np.isnan(found.nonfinite).tolist() == [True]
    assert thresholds(branching(False)) == Thresholds((), ())


def test_samples_lie_at_below_and_above_and_integers_stay() -> None:
    base = [[np.float32([1, 2, 3, 4]), np.int64([5, 6])]]
    made = at_thresholds(Thresholds((40.0,), (np.nan,)), base, seed=0)
    real = [sample[0] for sample in made]
    assert {float(row.max()) for row in real if np.isfinite(row).all()} == {36.0, 40.0, 44.0}
    assert sum(np.isnan(row).any() for row in real) == 2 and all(row.dtype == np.float32 for row in real)
    assert all(sample[1].tolist() == [5, 6] for sample in made)
    assert [sample[0].tolist() for sample in at_thresholds(Thresholds((40.0,), ()), base, seed=0)] == [
        row.tolist() for row in real[:6]
    ]
    assert at_thresholds(Thresholds((40.0,), ()), [[np.int64([5, 6])]], seed=0) == []


CONSTANTS = {
    "half": np.float32(0.5), "ten": np.float32(10), "sixty": np.float32(60), "many": np.arange(100, dtype=np.float32),
    "epoch": np.float32(1.7e9), "low": np.float32(-1e4), "factor": np.float32(255),
}  # fmt: skip


def asking(*nodes: onnx.NodeProto) -> onnx.ModelProto:
    read = {name for node in nodes for name in node.input}
    kept = {name: np.asarray(value) for name, value in CONSTANTS.items() if name in read}
    return model(nodes, {"x": ["n", 100]}, ["y"], kept)


def made(operator: str, inputs: str, output: str = "y", **attributes: object) -> onnx.NodeProto:
    return helper.make_node(operator, inputs.split(), [output], **attributes)


@pytest.mark.parametrize(
    ("nodes", "numbers"),
    [
        ([made("Div", "x factor", "s"), made("Min", "s half")], (127.5,)),
        ([made("Sub", "ten x", "s"), made("Neg", "s", "t"), made("Max", "t sixty")], (70.0,)),
        ([made("Mul", "x ten", "s"), made("Round", "s")], (-0.15, -0.05, 0.05, 0.15)),
        ([made("Min", "x many")], (99.0,)),
        ([made("Shrink", "x", lambd=60.0, bias=0.0)], (-60.0, 60.0)),
        ([made("Cast", "x", "i", to=TensorProto.INT8), made("Cast", "i", to=TensorProto.FLOAT)], (-128.0, 127.0)),
        ([made("Sub", "x epoch", "s"), made("Tanh", "s")], (1.7e9,)),
        ([made("Sub", "x sixty", "s"), made("Relu", "s")], (60.0,)),
        ([made("Tanh", "x", "s"), made("Min", "s half")], (0.5,)),
    ],
    ids=lambda value: "-".join(n.op_type for n in value) if isinstance(value, list) else "",
)
def test_numbers_are_those_of_the_input_where_it_is_scaled_and_shifted(
    nodes: list[onnx.NodeProto], numbers: tuple[float, ...]
) -> None:
    assert thresholds(asking(*nodes)).numbers == pytest.approx(numbers)


def test_what_both_compare_with_is_no_turn_of_one() -> None:
    ours = asking(made("Min", "x sixty"))
    assert other_turns(ours, asking(made("Min", "x ten", "s"), made("Min", "s sixty"))) == (10.0,)
    assert other_turns(ours, asking(made("Mul", "x ten", "s"), made("Min", "s sixty"))) == (6.0, 60.0)
    assert other_turns(ours, ours) == ()


def test_by_another_operator_the_number_itself_may_tell() -> None:
    """At the number itself one is true and the other false."""
    both = [
        asking(made(kind, "x half", "c"), made("Cast", "c", to=TensorProto.FLOAT))
        for kind in ("Greater", "GreaterOrEqual")
    ]
    assert other_turns(*both) == (0.5,)


def test_what_both_take_off_far_from_zero_is_tried() -> None:
    """Noise about zero leaves only the offset: seconds since 1970 that float32 rounds to minutes."""
    both = [asking(made("Sub", "x epoch", "s"), made(kind, "s")) for kind in ("Tanh", "Sigmoid")]
    assert other_turns(*both) == pytest.approx((1.7e9,))


def test_constants_of_functions_are_plain_numbers() -> None:
    bound = helper.make_node("Constant", [], ["b"], value_float=70.0)
    assert thresholds(model([bound, made("Min", "x b")], {"x": ["n", 4]}, ["y"])).numbers == (70.0,)


def test_whole_numbers_that_one_graph_casts_to_32_bits_turn_at_the_ends_of_these() -> None:
    def net(first: int, kind: int) -> onnx.ModelProto:
        ids = helper.make_tensor_value_info("ids", kind, ["n"])
        y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n"])
        nodes = [helper.make_node("Cast", ["ids"], ["k"], to=first), helper.make_node("Cast", ["k"], ["y"], to=1)]
        return helper.make_model(helper.make_graph(nodes, "g", [ids], [y]))

    wide, narrow = net(TensorProto.INT64, TensorProto.INT64), net(TensorProto.INT32, TensorProto.INT64)
    assert other_turns(wide, narrow) == (-(2.0**31), 2.0**31 - 1)
    real = [net(kind, TensorProto.FLOAT) for kind in (TensorProto.INT64, TensorProto.INT32)]
    assert other_turns(*real) == ()


def test_one_of_many_bounds_is_told_where_it_is_another() -> None:
    bounds = np.arange(1, 41, dtype=np.float32) * 100
    others = bounds.copy()
    others[20] += 50
    nets = [
        model([helper.make_node("Min", ["x", "c"], ["y"])], {"x": ["n", 40]}, ["y"], {"c": one})
        for one in (bounds, others)
    ]
    assert other_turns(*nets) == (2100.0, 2150.0)
