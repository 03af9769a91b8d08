"""Every operation that the Keras reader knows among layers: its graph gives what Keras gives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto

from safeconvert.prove.kernel.terms import Refused
from safeconvert.prove.readers.keras.operations import OPERATIONS
from safeconvert.prove.readers.keras.reader import read_keras
from safeconvert.prove.readers.writer import Writer
from tests.prove.readers.test_keras import IMAGE, ROW, STEPS, model_of, numbers, run, saved

keras = pytest.importorskip("keras")
ops = keras.ops


def _rows_from_the_end(index: Any) -> Any:
    return ops.cast(ops.where(ops.less(index, 0), index + 500, index), "float32")


CASES: dict[str, tuple[tuple[int, ...], Callable[[Any], Any]]] = {
    "Add": (ROW, lambda x: x + 1.5), "Subtract": (ROW, lambda x: 1.5 - x), "Multiply": (ROW, lambda x: x * ops.exp(x)),
    "Divide": (ROW, lambda x: ops.divide(x, ops.exp(x))), "TrueDivide": (ROW, lambda x: ops.true_divide(x, 4.0)),
    "Power": (ROW, lambda x: ops.power(x, 2.0)), "Maximum": (ROW, lambda x: ops.maximum(x, 0.3)), "Minimum": (ROW, lambda x: ops.minimum(x, ops.sin(x))),
    "Matmul": (STEPS, lambda x: ops.matmul(x, ops.transpose(x, (0, 2, 1)))), "Negative": (ROW, lambda x: -x), "Absolute": (ROW, ops.absolute),
    "Abs": (ROW, ops.abs), "Exp": (ROW, ops.exp), "Log": (ROW, lambda x: ops.log(ops.exp(x))), "Sqrt": (ROW, lambda x: ops.sqrt(ops.exp(x))),
    "Square": (ROW, ops.square), "Sin": (ROW, ops.sin), "Cos": (ROW, ops.cos), "Tanh": (ROW, ops.tanh), "Reciprocal": (ROW, ops.reciprocal),
    "Mean": (IMAGE, lambda x: ops.mean(x, axis=(1, -2), keepdims=True)), "Sum": (IMAGE, lambda x: ops.sum(x, axis=-1)),
    "Max": (IMAGE, lambda x: ops.max(x, axis=2)), "Min": (IMAGE, lambda x: ops.min(x, axis=(1, 2, 3))), "Prod": (ROW, lambda x: ops.prod(x, axis=1)),
    "Reshape": (IMAGE, lambda x: ops.reshape(x, (-1, 4, 14, 4))), "Transpose": (IMAGE, lambda x: ops.transpose(x, (0, 3, 1, 2))),
    "Squeeze": (IMAGE, lambda x: ops.squeeze(x[:, :1], 1)), "ExpandDims": (ROW, lambda x: ops.expand_dims(x, -1)),
    "Concatenate": (IMAGE, lambda x: ops.concatenate([x, ops.tanh(x)], 2)), "Stack": (ROW, lambda x: ops.stack([x, ops.exp(x)], 1)),
    "Einsum": (STEPS, lambda x: ops.einsum("nsm,ntm->nst", x, ops.exp(x))),
    "Pad": (IMAGE, lambda x: ops.pad(x, ((0, 0), (1, 2), (0, 3), (0, 0)), constant_values=0.5)),
    "Pad, reflected": (IMAGE, lambda x: ops.pad(x, ((0, 0), (1, 2), (0, 3), (0, 0)), mode="reflect")),
    "GetItem": (IMAGE, lambda x: x[:, ::-2, -1, 1:3]), "GetItem, last": (IMAGE, lambda x: x[..., 1]),
    "ZerosLike": (ROW, lambda x: x + ops.zeros_like(x)),
    "Cast": (ROW, lambda x: ops.cast(x + 1.0, "float32")),
    "Cast, to integers": (ROW, lambda x: ops.cast(ops.reshape(ops.cast(3 * x, "int32"), (-1, 2)), "float32")),
    "Equal": (ROW, lambda x: ops.where(ops.equal(ops.cast(x, "int32"), 0), x, 2 * x)),
    "Where": (ROW, lambda x: ops.where(ops.equal(x, ops.relu(x)), x, ops.exp(x))),
    "Less": (ROW, lambda x: ops.where(ops.less(ops.cast(3 * x, "int32"), 1), x, 2 * x)),
    "LessEqual": (ROW, lambda x: ops.where(ops.less_equal(x, 0.1), x, 2 * x)),
    "Greater": (ROW, lambda x: ops.where(ops.greater(ops.cast(3 * x, "int64"), 0), x, 2 * x)),
    "GreaterEqual": (ROW, lambda x: ops.where(ops.greater_equal(ops.cast(3 * x, "int32"), 0), x, 2 * x)),
    "Add, of integers": (ROW, lambda x: ops.cast(ops.cast(3 * x, "int32") + 2, "float32")),
    "Where, of integers": (ROW, lambda x: _rows_from_the_end(ops.cast(3 * x, "int32"))),
    "GetItem, of integers": (ROW, lambda x: ops.cast(ops.cast(3 * x, "int32")[:, 1:3], "float32")),
    "ZerosLike, of integers": (ROW, lambda x: ops.cast(ops.zeros_like(ops.cast(x, "int32")), "float32") + x),
    "Take": (IMAGE, lambda x: ops.take(x, 2, axis=1)),
    "Take, several": (IMAGE, lambda x: ops.take(x, np.array([3, 1, 1]), axis=-1)),
    "Clip": (ROW, lambda x: ops.clip(x, -0.5, 0.7)),
    "Relu": (ROW, ops.relu), "Relu6": (ROW, ops.relu6), "Sigmoid": (ROW, ops.sigmoid), "Silu": (ROW, ops.silu), "Softplus": (ROW, ops.softplus),
    "Softsign": (ROW, ops.softsign), "HardSigmoid": (ROW, ops.hard_sigmoid), "HardSilu": (ROW, ops.hard_silu), "Selu": (ROW, ops.selu),
    "Elu": (ROW, lambda x: ops.elu(x, 0.7)), "Gelu": (ROW, lambda x: ops.gelu(x, approximate=False)), "Gelu by tanh": (ROW, ops.gelu),
    "LeakyRelu": (ROW, lambda x: ops.leaky_relu(x, 0.3)), "Softmax": (STEPS, lambda x: ops.softmax(x, axis=1)),
    "MaxPool": (IMAGE, lambda x: ops.max_pool(x, (3, 2), (2, 1), "same")), "AveragePool": (IMAGE, lambda x: ops.average_pool(x, 2, padding="same")),
    "Conv": (IMAGE, lambda x: ops.conv(x, numbers((3, 2, 4, 3)), (2, 1), "same")),
    "Conv, dilated": (IMAGE, lambda x: ops.conv(x, numbers((3, 3, 4, 2)), dilation_rate=2)),
    "DepthwiseConv": (IMAGE, lambda x: ops.depthwise_conv(x, numbers((3, 3, 4, 2)), padding="same")),
    "Split": (IMAGE, lambda x: ops.concatenate(ops.split(x, 2, axis=-1)[::-1], 2)),
    "Split, at places": (IMAGE, lambda x: ops.concatenate(ops.split(x, [2, 3, 5], axis=1)[1:], 1)),
    "LogSoftmax": (STEPS, lambda x: ops.log_softmax(x)), "Erf": (ROW, ops.erf), "Rsqrt": (ROW, lambda x: ops.rsqrt(ops.exp(x))),
    "Add, of integers of two widths": (ROW, lambda x: ops.cast(ops.cast(3 * x, "int32") + ops.cast(2 * x, "int64"), "float32")),
    "Where, constants of integers": (ROW, lambda x: ops.cast(ops.where(ops.greater(x, 0.0), np.arange(6), np.arange(6)[::-1].copy()) + 1, "float32")),
    "NotEqual": (ROW, lambda x: ops.where(ops.not_equal(ops.cast(x, "int32"), 0), x, 2 * x)),
    "NotEqual, of numbers": (ROW, lambda x: ops.where(ops.not_equal(x, ops.relu(x)), x, 2 * x)),
    "LogicalAnd": (ROW, lambda x: ops.where(ops.logical_and(np.array([True, False] * 3), ops.greater(x, 0.0)), x, 2 * x)),
    "LogicalOr": (ROW, lambda x: ops.where(ops.logical_or(ops.greater(x, 1.0), ops.less(x, 0.0)), x, 2 * x)),
    "LogicalXor": (ROW, lambda x: ops.where(ops.logical_xor(ops.greater(x, 1.0), ops.greater(x, 0.0)), x, 2 * x)),
    "LogicalNot": (ROW, lambda x: ops.where(ops.logical_not(ops.greater(x, 1.0)), x, 2 * x)),
    "Cumsum": (STEPS, lambda x: ops.cumsum(x, axis=1)), "Cumsum, of integers": (ROW, lambda x: ops.cast(ops.cumsum(ops.cast(3 * x, "int64"), axis=-1), "float32")),
    "Tile": (ROW, lambda x: ops.tile(x, (1, 2))), "Tile, wider": (STEPS, lambda x: ops.tile(x, (1, 2, 1, 3))), "Tile, fewer": (STEPS, lambda x: ops.tile(x, (2,))),
    "TakeAlongAxis": (STEPS, lambda x: ops.take_along_axis(x, ops.cast(ops.greater(x, 0.0), "int32"), axis=1)),
    "Take, by computed numbers": (ROW, lambda x: ops.take(np.random.default_rng(0).normal(size=(7, 3)).astype("float32"), ops.cast(ops.abs(x), "int32"), axis=0)),
    "BroadcastTo": (ROW, lambda x: x + ops.broadcast_to(x[:1, :1], (3, 6))), "Flip": (STEPS, lambda x: ops.flip(x, axis=1)),
    "Mod": (ROW, lambda x: ops.cast(ops.mod(ops.cast(9 * x, "int32"), np.array([2, -3, 5, -7, 4, 3], "int32")), "float32")),
    "Argmax": (STEPS, lambda x: ops.cast(ops.argmax(x, axis=1), "float32")), "Argmin": (STEPS, lambda x: ops.cast(ops.argmin(x, axis=-1), "float32")),
    "Floor": (ROW, ops.floor), "Ceil": (ROW, ops.ceil), "Round": (ROW, ops.round), "Sign": (ROW, ops.sign), "Arctan": (ROW, ops.arctan), "Tan": (ROW, ops.tan),
    **{f"{name}, of integers": (ROW, lambda x, f=f: ops.cast(f(ops.cast(3 * x, "int32")), "float32")) for name, f in {
        "Subtract": lambda i: i - np.array([1, 2, 3, 4, 5, 6], "int32"), "Multiply": lambda i: i * i, "Maximum": lambda i: ops.maximum(i, 1),
        "Minimum": lambda i: ops.minimum(i, 1), "Max": lambda i: ops.max(i, axis=1), "Sum": lambda i: ops.sum(i, axis=0), "Transpose": lambda i: ops.transpose(i, (1, 0)),
        "ExpandDims": lambda i: ops.expand_dims(i, 1), "Concatenate": lambda i: ops.concatenate([i, i], 1), "Stack": lambda i: ops.stack([i, i], 1),
        "Squeeze": lambda i: ops.squeeze(i[:, :1], 1), "Take": lambda i: ops.take(i, np.array([2, 0]), axis=1)}.items()},
}  # fmt: skip


def test_every_operation_has_a_case() -> None:
    assert {name for rules in OPERATIONS.values() for name in rules} == {
        name.split(",")[0].split(" ")[0] for name in CASES
    }


@pytest.mark.parametrize("name", list(CASES))
def test_the_graph_gives_what_keras_gives(name: str, tmp_path: Path) -> None:
    shape, build = CASES[name]
    model = model_of(shape, build)
    x = 2 * numbers((3, *shape))
    [found] = run(saved(model, tmp_path), x)
    wanted = np.asarray(model(x, training=False))
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)


def test_an_operation_that_is_not_known_is_refused_by_name(tmp_path: Path) -> None:
    for build, named in (
        (lambda x: ops.cumprod(x, 1), "Cumprod"),
        (lambda x: ops.logaddexp(x, 0.0), "Logaddexp"),
        (lambda x: ops.conv(ops.reshape(x, (-1, 6, 1)), ops.reshape(x[:1, :2], (2, 1, 1))), "computed"),
        (lambda x: ops.cast(ops.cast(x, "int32") + np.arange(6), "float32"), "Add"),
    ):
        with pytest.raises(Refused, match=named):
            read_keras(saved(model_of(ROW, build), tmp_path))


def test_zeros_of_one_tensor_are_made_once() -> None:
    """They are as large as the tensor: MobileNetV3 has 56 of a whole picture."""
    write = Writer()
    given = [write.zeros("x", TensorProto.FLOAT), write.zeros("x", TensorProto.FLOAT)]
    others = [write.zeros("x", TensorProto.INT64), write.zeros("y", TensorProto.FLOAT)]
    assert given[0] == given[1] and len({given[0], *others}) == 3
    assert [node.op_type for node in write.nodes].count("ConstantOfShape") == 3
