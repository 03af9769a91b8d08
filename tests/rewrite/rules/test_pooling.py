"""Edge-padded max pools compute what the ONNX pool computes, negative inputs too."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from tests.rewrite.rules.rule import rule


def pool(size: tuple[int, int], **attributes: object) -> onnx.ModelProto:
    """A single MaxPool on (1,2,H,W)."""
    node = helper.make_node("MaxPool", ["x"], ["y"], "pool", **attributes)
    graph = helper.make_graph(
        [node],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 2, *size])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def run(model: onnx.ModelProto, x: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})[0]


def own_padding(model: onnx.ModelProto) -> bool:
    """Whether a MaxPool still pads by itself."""
    (node,) = (node for node in model.graph.node if node.op_type == "MaxPool")
    said = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    return any(said.get("pads", [])) or bool(said.get("ceil_mode")) or said.get("auto_pad", b"NOTSET") != b"NOTSET"


@settings(max_examples=150, deadline=None)
@given(
    size=st.tuples(st.integers(5, 12), st.integers(5, 12)),
    kernel=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    strides=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    wide=st.tuples(*[st.integers(0, 1)] * 4),
    auto=st.sampled_from(["NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"]),
    ceil=st.booleans(),
)
def test_the_function_is_unchanged(size, kernel, strides, wide, auto, ceil) -> None:
    assume(all(stride <= k for stride, k in zip(strides, kernel, strict=True)))  # ONNX Runtime refuses some others
    attributes = {"kernel_shape": kernel, "strides": strides}
    if auto == "NOTSET":
        attributes |= {"pads": [min(p, k // 2) for p, k in zip(wide, kernel * 2, strict=True)], "ceil_mode": int(ceil)}
    else:
        attributes["auto_pad"] = auto
    x = -np.random.default_rng(0).random((1, 2, *size), dtype=np.float32) - 1
    model = pool(size, **attributes)
    before = run(model, x)
    np.testing.assert_array_equal(run(rule("edge_padded_max_pools")(model), x), before)


@pytest.mark.parametrize(
    ("size", "attributes"),
    [
        ((112, 112), {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]}),
        ((56, 56), {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1}),
        ((7, 7), {"kernel_shape": [2, 2], "strides": [2, 2], "ceil_mode": 1}),
        ((9, 9), {"kernel_shape": [3, 3], "strides": [2, 2], "auto_pad": "SAME_UPPER"}),
    ],
)
def test_the_usual_paddings_are_brought_out(size, attributes) -> None:
    assert not own_padding(rule("edge_padded_max_pools")(pool(size, **attributes)))


def test_what_the_rule_does_not_hold_for_stays() -> None:
    dilated = pool((9, 9), kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1], dilations=[2, 2])
    assert own_padding(rule("edge_padded_max_pools")(dilated))
    read_right = pool((9, 9), kernel_shape=[3, 3], strides=[1, 1], pads=[1, 1, 1, 1])
    assert own_padding(rule("edge_padded_max_pools")(read_right))
