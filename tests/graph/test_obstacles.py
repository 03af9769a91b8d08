"""Operators in the way: found in converters' messages, and where nobody defines them."""

from __future__ import annotations

import onnx
import pytest
from onnx import TensorProto, helper

from safeconvert.core.obstacles import Obstacle
from safeconvert.graph.obstacles import named, undefined


def model(*nodes: onnx.NodeProto, **domains: int) -> onnx.ModelProto:
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    opsets = [helper.make_opsetid("", 17), *(helper.make_opsetid(f"com.{name}", n) for name, n in domains.items())]
    return helper.make_model(helper.make_graph(nodes, "g", [value], [value]), opset_imports=opsets)


INNER = helper.make_graph([helper.make_node("NonZero", ["x"], ["z"], name="inner")], "body", [], [])
NODES = (
    helper.make_node("Det", ["x"], ["a"], name="first"),
    helper.make_node("Det", ["x"], ["b"], name="second"),
    helper.make_node("If", ["x"], ["c"], name="branch", then_branch=INNER, else_branch=INNER),
    helper.make_node("Frobnicate", ["x"], ["d"], domain="com.example"),
)


@pytest.mark.parametrize(
    ("message", "found"),
    [
        ("KeyError: 'Det'", [("Det", "first"), ("Det", "second")]),
        ("OperationDescription(domain='', operation_type='Det', version=11)", [("Det", "first"), ("Det", "second")]),
        ("operator Det at node second: not supported", [("Det", "second")]),
        ("operator If at node branch: bodies", [("If", "branch")]),
        ("com.example:Frobnicate(-1) is not registered", [("com.example::Frobnicate", "d")]),
        ("no converter for op NonZero", [("NonZero", "inner", "x")]),
        ("If you see this, Determine the Details", []),
        ("operator Detach", []),
    ],
)
def test_an_operator_that_a_message_names_is_found_at_its_nodes(message: str, found: list[tuple[str, ...]]) -> None:
    assert named(model(*NODES), [message]) == [Obstacle(*one) for one in found]


def test_each_is_named_once() -> None:
    assert named(model(*NODES), ["'If'", "operator If", ""]) == [Obstacle("If", "branch")]


def test_an_operator_that_one_converter_has_is_not_in_the_way() -> None:
    assert named(model(*NODES), ["'Det', 'If'", "operator If", "no reason"]) == [Obstacle("If", "branch")]
    apart = [Obstacle("Det", "second"), Obstacle("If", "branch")]
    assert named(model(*NODES), ["operator Det at node second", "operator If"]) == apart


def test_what_neither_onnx_nor_the_model_defines_is_undefined() -> None:
    made = model(*NODES, example=1)
    assert undefined(made) == [Obstacle("com.example::Frobnicate", "d")]
    body = [helper.make_node("Abs", ["x"], ["y"])]
    made.functions.append(
        helper.make_function("com.example", "Frobnicate", ["x"], ["y"], body, [helper.make_opsetid("", 17)])
    )
    assert undefined(made) == []
