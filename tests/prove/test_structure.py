"""Isomorphic graphs with equal weights, and the least that makes them differ."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from safeconvert.graph.view import tidy
from safeconvert.prove.structure import same_structure


def net() -> onnx.ModelProto:
    model = onnx.parser.parse_model("""
        <ir_version: 8, opset_import: ["" : 17]>
        net (float[n, 4] x) => (float[n, 3] y) {
            a = MatMul (x, w)
            b = Relu (a)
            c = Add (b, bias)
            y = Softmax <axis = 1> (c)
        }
    """)
    random = np.random.default_rng(0)
    model.graph.initializer.append(numpy_helper.from_array(random.normal(size=(4, 3)).astype(np.float32), "w"))
    model.graph.initializer.append(numpy_helper.from_array(random.normal(size=3).astype(np.float32), "bias"))
    return model


def renamed(model: onnx.ModelProto) -> None:
    for node in model.graph.node:
        node.input[:] = [f"{name}_" if name in "abc" else name for name in node.input]
        node.output[:] = [f"{name}_" if name in "abc" else name for name in node.output]


def commuted(model: onnx.ModelProto) -> None:
    model.graph.node[2].input[:] = ["bias", "b"]


def reweighted(model: onnx.ModelProto) -> None:
    value = numpy_helper.to_array(model.graph.initializer[0]).copy()
    value[0, 0] = np.nextafter(value[0, 0], np.float32(9))
    model.graph.initializer[0].CopyFrom(numpy_helper.from_array(value, "w"))


def rewired(model: onnx.ModelProto) -> None:
    model.graph.node[2].input[0] = "a"


def other_axis(model: onnx.ModelProto) -> None:
    model.graph.node[3].attribute[0].i = 0


@pytest.mark.parametrize(
    ("change", "same"),
    [(renamed, True), (commuted, True), (reweighted, False), (rewired, False), (other_axis, False)],
)
def test_only_names_and_the_order_of_a_sum_do_not_matter(change: Callable[[onnx.ModelProto], None], same: bool) -> None:
    changed = net()
    change(changed)
    assert same_structure(tidy(net()), tidy(changed)) is same


def test_more_outputs_are_another_structure() -> None:
    more = net()
    more.graph.output.append(onnx.helper.make_tensor_value_info("c", 1, ["n", 3]))
    assert not same_structure(tidy(net()), tidy(more))
