"""Graphs with a scaled input, other input sizes, fewer outputs."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx.reference import ReferenceEvaluator

from safeconvert.graph.interface import keep_outputs, resize_inputs, scale_input


def net() -> onnx.ModelProto:
    """x (n, 2, 4, 4) -> its mean over the picture, and its double."""
    return onnx.parser.parse_model("""
        <ir_version: 8, opset_import: ["" : 17]>
        net (float[n, 2, 4, 4] x) => (float[n, 2, 1, 1] mean, float[n, 2, 4, 4] double) {
            two = Constant <value_float = 2.0> ()
            double = Mul (x, two)
            mean = GlobalAveragePool (x)
        }
    """)


def run(model: onnx.ModelProto, x: np.ndarray) -> list[np.ndarray]:
    onnx.checker.check_model(model)
    return ReferenceEvaluator(model).run(None, {"x": x})


@pytest.mark.parametrize("reverse", [False, True])
def test_a_scaled_input_gives_what_the_scaled_values_give(reverse: bool) -> None:
    model = net()
    x = np.random.default_rng(0).normal(size=(3, 2, 4, 4)).astype(np.float32)
    factor, offset = np.array([2.0, -0.5]), np.array([1.0, 3.0])
    scaled = (x[:, ::-1] if reverse else x) * factor.reshape(1, 2, 1, 1) + offset.reshape(1, 2, 1, 1)
    wanted = run(model, scaled.astype(np.float32))
    changed = scale_input(model, 1, list(factor), list(offset), reverse)
    for one, two in zip(wanted, run(changed, x), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-6, atol=1e-6)
    assert model == net()


def test_it_goes_behind_the_transpose_of_a_channels_last_input() -> None:
    model = onnx.parser.parse_model("""
        <ir_version: 8, opset_import: ["" : 17]>
        net (float[n, 4, 4, 2] x) => (float[n, 2, 1, 1] y) {
            t = Transpose <perm = [0, 3, 1, 2]> (x)
            y = GlobalAveragePool (t)
        }
    """)
    x = np.random.default_rng(0).normal(size=(3, 4, 4, 2)).astype(np.float32)
    changed = scale_input(model, 3, [2.0, 3.0], [1.0, -1.0], True)
    assert changed.graph.node[0].op_type == "Transpose"
    wanted = run(model, (x[..., ::-1] * [2.0, 3.0] + [1.0, -1.0]).astype(np.float32))
    np.testing.assert_allclose(run(changed, x)[0], wanted[0], rtol=1e-5, atol=1e-6)


def test_a_resized_input_takes_the_other_size() -> None:
    changed = resize_inputs(net(), [[None, 2, 6, 5]])
    x = np.ones((2, 2, 6, 5), np.float32)
    assert run(changed, x)[1].shape == (2, 2, 6, 5)
    assert [d.dim_value for d in changed.graph.input[0].type.tensor_type.shape.dim][1:] == [2, 6, 5]


@pytest.mark.parametrize("shapes", [[], [[None, 2, 6]]])
def test_other_numbers_of_inputs_or_dimensions_are_refused(shapes: list[list[int | None]]) -> None:
    with pytest.raises(ValueError, match="not"):
        resize_inputs(net(), shapes)


def test_dropped_outputs_take_what_only_they_need_along() -> None:
    changed = keep_outputs(net(), [0])
    assert [value.name for value in changed.graph.output] == ["mean"]
    assert [node.op_type for node in changed.graph.node] == ["GlobalAveragePool"]
