"""Each operator that onnx' reference computes otherwise than ONNX Runtime is known, and those that it computes as well are not refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper
from onnx.reference import ReferenceEvaluator

from safeconvert.core.reference import misread, told

Array = np.ndarray[Any, Any]
IMAGE = np.random.default_rng(0).normal(size=(1, 2, 6, 6)).astype(np.float32)


def floats(*shape: int) -> Array:
    return np.random.default_rng(len(shape)).normal(size=shape).astype(np.float32)


def layer(gates: int, *more: Array) -> list[Array]:
    return [floats(4, 2, 3), floats(1, 2 * gates, 3), floats(1, 2 * gates, 2), floats(1, 4 * gates), *more]


SHORT = np.array([4, 2], np.int32)
SCALES = np.float32([1, 1, 1.3, 1.3])
DIFFERENT: dict[str, tuple[str, int, list[Array | None], dict[str, Any]]] = {
    "softmax": ("Softmax", 11, [IMAGE], {"axis": 1}),
    "log softmax": ("LogSoftmax", 11, [IMAGE], {"axis": 1}),
    "hard maximum": ("Hardmax", 11, [IMAGE], {"axis": 1}),
    "lengths of an LSTM": ("LSTM", 17, layer(4, SHORT), {"hidden_size": 2}),
    "lengths of a GRU": ("GRU", 17, layer(3, SHORT), {"hidden_size": 2}),
    "clip of an RNN": ("RNN", 17, layer(1), {"hidden_size": 2, "clip": 0.2}),
    "coupled gates": ("LSTM", 17, layer(4), {"hidden_size": 2, "input_forget": 1}),
    "activations": ("RNN", 17, layer(1), {"hidden_size": 2, "activations": ["Relu"]}),
    "pooling": ("MaxPool", 17, [IMAGE], {"kernel_shape": [3, 3], "strides": [2, 2], "auto_pad": "SAME_LOWER"}),
    "response": ("LRN", 17, [floats(1, 6, 2, 2)], {"size": 3, "alpha": 0.1}),
    "corners": ("Resize", 17, [IMAGE, None, SCALES], {"mode": "linear", "coordinate_transformation_mode": "align_corners"}),
    "neighbours": ("Resize", 17, [IMAGE, None, SCALES], {"mode": "nearest"}),
}  # fmt: skip
SAME: dict[str, tuple[str, int, list[Array | None], dict[str, Any]]] = {
    "softmax": ("Softmax", 13, [IMAGE], {"axis": 1}),
    "plain LSTM": ("LSTM", 17, layer(4), {"hidden_size": 2, "activations": ["Sigmoid", "Tanh", "Tanh"]}),
    "pooling": ("MaxPool", 17, [IMAGE], {"kernel_shape": [3, 3], "strides": [2, 2], "auto_pad": "SAME_UPPER"}),
    "resize": ("Resize", 17, [IMAGE, None, SCALES], {"mode": "linear"}),
    "cubic": ("Resize", 17, [IMAGE, None, SCALES], {"mode": "cubic", "coordinate_transformation_mode": "pytorch_half_pixel"}),
    "sum": ("Add", 7, [IMAGE, floats(6)], {}),
    "negative quotient": ("Div", 17, [np.int64([-7, 7]), np.int64([2, -2])], {}),
    "negative remainder": ("Mod", 17, [np.int64([-7, 7]), np.int64([2, -3])], {"fmod": 1}),
    "halves": ("Round", 17, [np.float32([0.5, 1.5, -2.5])], {}),
}  # fmt: skip


def computed(operator: str, opset: int, arrays: list[Array | None], attributes: dict[str, Any]) -> tuple[bool, bool]:
    """Whether both runtimes give the same, and whether the reference is believed."""
    names = ["" if array is None else f"i{number}" for number, array in enumerate(arrays)]
    feeds = {name: array for name, array in zip(names, arrays, strict=True) if array is not None}
    outputs = ["", "o"] if operator in ("LSTM", "GRU", "RNN") else ["o"]
    node = helper.make_node(operator, names, outputs, "n", **attributes)
    inputs = [helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(a.dtype), a.shape) for n, a in feeds.items()]  # fmt: skip
    graph = helper.make_graph([node], "g", inputs, [helper.make_empty_tensor_value_info("o")])
    model = onnx.shape_inference.infer_shapes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8))  # fmt: skip
    [right] = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"]).run(
        None, feeds
    )
    try:
        [made] = ReferenceEvaluator(model).run(None, feeds)
    except (IndexError, KeyError, RuntimeError):
        made = np.zeros(0)
    equal = made.shape == right.shape and np.allclose(made, right, rtol=1e-4, atol=1e-5)
    return equal, told(node, opset)


@pytest.mark.parametrize("case", DIFFERENT)
def test_what_is_computed_otherwise_is_not_believed(case: str) -> None:
    assert computed(*DIFFERENT[case]) == (False, False)


@pytest.mark.parametrize("case", SAME)
def test_what_is_computed_alike_is_believed(case: str) -> None:
    assert computed(*SAME[case]) == (True, True)


def test_operators_that_broadcast_by_an_axis_are_not_believed_before_set_7() -> None:
    """ONNX Runtime has no kernel for them: the standard says so."""
    plain = helper.make_node("Add", ["a", "b"], ["o"])
    along = helper.make_node("Add", ["a", "b"], ["o"], axis=1, broadcast=1)
    slopes = helper.make_node("PRelu", ["a", "b"], ["o"])
    assert [misread(node, 6) for node in (plain, along, slopes)] == [False, True, True]
    assert not misread(slopes, 7) and not misread(
        helper.make_node("LSTM", ["a", "b", "c", "d", "l"], ["o"], domain="own"), 7
    )
    spatial = helper.make_node("BatchNormalization", ["x", *"abcd"], ["o"], spatial=0)
    assert misread(spatial, 8) and not misread(spatial, 9)
