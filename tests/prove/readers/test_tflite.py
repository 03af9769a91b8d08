"""Operators that the TFLite reader knows: its graph gives what the interpreter gives, and what is otherwise is refused by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import onnxruntime
import pytest

from safeconvert.prove.kernel.terms import Refused
from safeconvert.prove.readers.tflite.reader import read_tflite
from safeconvert.prove.readers.tflite.table import OPERATORS

tf = pytest.importorskip("tensorflow")
litert = pytest.importorskip("ai_edge_litert.interpreter")
schema = pytest.importorskip("ai_edge_litert.schema_py_generated")
IMAGE, ROW, STEPS = (1, 8, 7, 4), (3, 6), (2, 5, 4)
random = np.random.default_rng(0)


def normal(*shape: int) -> Any:
    return tf.constant(random.normal(size=shape).astype(np.float32))


CASES: dict[str, tuple[tuple[int, ...], Callable[[Any], Any]]] = {
    "ADD": (ROW, lambda x: tf.nn.relu(x + normal(6))),
    "AVERAGE_POOL_2D": (IMAGE, lambda x: tf.nn.avg_pool2d(x, (3, 2), (2, 1), "SAME")),
    "CONCATENATION": (IMAGE, lambda x: tf.concat([x, tf.tanh(x)], 2)),
    "CONV_2D": (IMAGE, lambda x: tf.nn.relu6(tf.nn.conv2d(x, normal(3, 2, 4, 5), (2, 1), "SAME") + normal(5))),
    "CONV_2D dilated": (IMAGE, lambda x: tf.nn.conv2d(x, normal(3, 3, 4, 5), 1, "VALID", dilations=(1, 2))),
    "DEPTHWISE_CONV_2D": (IMAGE, lambda x: tf.nn.depthwise_conv2d(x, normal(3, 3, 4, 2), (1, 2, 2, 1), "SAME")),
    "EMBEDDING_LOOKUP": (STEPS, lambda x: tf.gather(normal(7, 3), tf.cast(x > 0, tf.int32))),
    "FLOOR": (ROW, tf.floor),
    "FULLY_CONNECTED": (ROW, lambda x: tf.nn.relu(x @ normal(6, 3) + normal(3))),
    "LOGISTIC": (ROW, tf.sigmoid),
    "MAX_POOL_2D": (IMAGE, lambda x: tf.nn.max_pool2d(x, (2, 3), (2, 2), "VALID")),
    "MUL": (ROW, lambda x: x * tf.exp(x)),
    "RELU": (ROW, tf.nn.relu),
    "RELU_N1_TO_1": (ROW, lambda x: tf.minimum(tf.maximum(x, -1.0), 1.0)),
    "RELU6": (ROW, tf.nn.relu6),
    "RESHAPE": (IMAGE, lambda x: tf.reshape(x, (2, -1, 7))),
    "RESIZE_BILINEAR": (IMAGE, lambda x: tf.image.resize(x, (5, 9))),
    "RESIZE_BILINEAR corners": (IMAGE, lambda x: tf.compat.v1.image.resize_bilinear(x, (5, 9), align_corners=True)),
    "RESIZE_BILINEAR plain": (IMAGE, lambda x: tf.compat.v1.image.resize_bilinear(x, (5, 9))),
    "SOFTMAX": (ROW, tf.nn.softmax),
    "TANH": (ROW, tf.tanh),
    "PAD": (IMAGE, lambda x: tf.pad(x, [[0, 0], [1, 2], [0, 3], [0, 0]])),
    "GATHER": (IMAGE, lambda x: tf.gather(x, tf.constant([3, 1, 1]), axis=2)),
    "GATHER in batches": (ROW, lambda x: tf.gather(x, tf.cast(x[:, :2] > 0, tf.int32), axis=1, batch_dims=1)),
    "TRANSPOSE": (IMAGE, lambda x: tf.transpose(x, (0, 3, 1, 2))),
    "MEAN": (IMAGE, lambda x: tf.reduce_mean(x, (1, 2), keepdims=True)),
    "SUB": (ROW, lambda x: 1.5 - x),
    "DIV": (ROW, lambda x: x / tf.exp(x)),
    "SQUEEZE": (IMAGE, lambda x: tf.squeeze(x, 0)),
    "STRIDED_SLICE": (IMAGE, lambda x: x[:, -2, 1:6:2]),
    "STRIDED_SLICE backwards": (IMAGE, lambda x: x[:, ::-2, :, 3]),
    "BROADCAST_ARGS": (ROW, lambda x: tf.broadcast_to(x, tf.raw_ops.BroadcastArgs(s0=[2, 1, 6], s1=tf.constant([3, 1]) + tf.cast(0 * x[0, :2], tf.int32)))),
    "DEPTH_TO_SPACE": (IMAGE, lambda x: tf.nn.depth_to_space(x, 2)),
    "SPACE_TO_DEPTH": ((1, 8, 6, 4), lambda x: tf.nn.space_to_depth(x, 2)),
    "TOPK_V2": (IMAGE, lambda x: tf.math.top_k(x, 2).values),
    "TILE": (ROW, lambda x: tf.tile(x, (2, 3))),
    "NOT_EQUAL": (ROW, lambda x: tf.where(tf.not_equal(tf.cast(3 * x, tf.int32), 0), x, 2 * x)),
    "LOGICAL_NOT": (ROW, lambda x: tf.cast(tf.logical_not(tf.reduce_any(x > 1.0, 1)), tf.float32)),
    "FLOOR_DIV": (ROW, lambda x: tf.math.floordiv(x, 0.3)),
    "REDUCE_ANY": (ROW, lambda x: tf.where(tf.reduce_any(x > 1.0, 1, keepdims=True), x, 2 * x)),
    "REDUCE_ALL": (ROW, lambda x: tf.where(tf.reduce_all(x > -1.0, 0), x, 2 * x)),
    "FLOOR_MOD": (ROW, lambda x: tf.cast(tf.cast(9 * x, tf.int32) % tf.constant([2, -3, 5, -7, 4, 3]), tf.float32)),
    "RANGE": (ROW, lambda x: x + tf.cast(tf.range(tf.cast(x[0, 0], tf.int32), tf.cast(x[0, 0], tf.int32) + 6), tf.float32)),
    "REVERSE_V2": (IMAGE, lambda x: tf.reverse(x, [1])),
    "GATHER_ND": (ROW, lambda x: tf.gather_nd(x, tf.constant([[0, 5], [2, 1]]))),
    "CUMSUM": (ROW, lambda x: tf.cumsum(x, 1)),
    "CUMSUM backwards": (ROW, lambda x: tf.cumsum(x, 1, exclusive=True, reverse=True)),
    "BROADCAST_TO": (STEPS, lambda x: tf.broadcast_to(x[:, :1], (3, 2, 5, 4))),
    "SIGN": (ROW, tf.sign),
    "MAXIMUM of integers": (ROW, lambda x: tf.cast(tf.maximum(tf.abs(tf.cast(3 * x, tf.int32)), 1), tf.float32)),
    "UNSORTED_SEGMENT_PROD": (
        ROW,
        lambda x: tf.math.unsorted_segment_prod(tf.reshape(x, [18]), tf.constant([0, 2] * 9), 3),
    ),
    "EXP": (ROW, tf.exp),
    "SPLIT": (IMAGE, lambda x: tf.split(x, 2, 3)[1]),
    "LOG_SOFTMAX": (ROW, tf.nn.log_softmax),
    "CAST": (ROW, lambda x: tf.cast(tf.cast(x * 3, tf.int32), tf.float32)),
    "PRELU": (IMAGE, lambda x: tf.maximum(x, 0.0) + normal(1, 1, 4) * tf.minimum(x, 0.0)),
    "MAXIMUM": (ROW, lambda x: tf.maximum(x, tf.sin(x))),
    "ARG_MAX": (ROW, lambda x: tf.cast(tf.argmax(x, 1), tf.float32)),
    "MINIMUM": (ROW, lambda x: tf.minimum(x, tf.sin(x))),
    "NEG": (ROW, lambda x: -x),
    "PADV2": (IMAGE, lambda x: tf.pad(x, [[0, 0], [1, 2], [0, 3], [0, 0]], constant_values=0.5)),
    "SLICE": (IMAGE, lambda x: tf.slice(x, [0, 2, 1, 0], [1, 3, -1, 2])),
    "SIN": (ROW, tf.sin),
    "TRANSPOSE_CONV": (IMAGE, lambda x: tf.nn.conv2d_transpose(x, normal(3, 4, 5, 4), (1, 16, 14, 5), 2)),
    "EXPAND_DIMS": (ROW, lambda x: tf.expand_dims(x, 1)),
    "LOG": (ROW, lambda x: tf.math.log(x * x + 1)),
    "SUM": (IMAGE, lambda x: tf.reduce_sum(x, (1, 3))),
    "SQRT": (ROW, lambda x: tf.sqrt(x * x)),
    "RSQRT": (ROW, lambda x: tf.math.rsqrt(x * x + 1)),
    "POW": (ROW, lambda x: tf.pow(x * x + 0.1, normal(6))),
    "ARG_MIN": (ROW, lambda x: tf.cast(tf.argmin(x, 0), tf.float32)),
    "REDUCE_PROD": (ROW, lambda x: tf.reduce_prod(x, 1)),
    "REDUCE_MAX": (ROW, lambda x: tf.reduce_max(x, 0)),
    "REDUCE_MIN": (ROW, lambda x: tf.reduce_min(x, 1)),
    "PACK": (ROW, lambda x: tf.stack([x, tf.exp(x)], 1)),
    "UNPACK": (ROW, lambda x: tf.unstack(x, axis=1)[2]),
    "SQUARE": (ROW, tf.square),
    "RESIZE_NEAREST_NEIGHBOR": (IMAGE, lambda x: tf.image.resize(x, (5, 9), "nearest")),
    "RESIZE_NEAREST_NEIGHBOR plain": (IMAGE, lambda x: tf.compat.v1.image.resize_nearest_neighbor(x, (5, 9))),
    "LEAKY_RELU": (ROW, lambda x: tf.nn.leaky_relu(x, 0.3)),
    "SQUARED_DIFFERENCE": (ROW, lambda x: tf.math.squared_difference(x, tf.sin(x))),
    "MIRROR_PAD": (IMAGE, lambda x: tf.pad(x, [[0, 0], [1, 2], [0, 3], [0, 0]], "REFLECT")),
    "ABS": (ROW, tf.abs),
    "SPLIT_V": (ROW, lambda x: tf.split(x, [1, 3, 2], 1)[1]),
    "CEIL": (ROW, tf.math.ceil),
    "ADD_N": (ROW, lambda x: tf.add_n([x, tf.exp(x), tf.sin(x)])),
    "COS": (ROW, tf.cos),
    "ELU": (ROW, tf.nn.elu),
    "ROUND": (ROW, lambda x: tf.round(x * 2)),
    "HARD_SWISH": (ROW, lambda x: x * tf.nn.relu6(x + 3) * (1 / 6)),
    "SELECT_V2": (ROW, lambda x: tf.where(x > 0.1, x, tf.exp(x))),
    "BATCH_MATMUL": (STEPS, lambda x: tf.matmul(x, tf.sin(x), transpose_b=True)),
    "GELU": (ROW, lambda x: tf.nn.gelu(x, approximate=False)),
    **{word: (ROW, lambda x, compare=compare: tf.where(compare(x, tf.sin(x)), x, 2 * x)) for word, compare in {
        "LESS": tf.less, "GREATER": tf.greater, "GREATER_EQUAL": tf.greater_equal, "LESS_EQUAL": tf.less_equal, "EQUAL": tf.equal}.items()},
    "LOGICAL_OR": (ROW, lambda x: tf.where(tf.logical_or(x > 1, x < -1), x, 2 * x)),
    "LOGICAL_AND": (ROW, lambda x: tf.where(tf.logical_and(x < 1, x > -1), x, 2 * x)),
}  # fmt: skip


def converted(function: Callable[[Any], Any], shape: tuple[int | None, ...], **options: Any) -> bytes:
    """The file that TensorFlow's converter makes of a function."""
    traced = tf.function(function).get_concrete_function(tf.TensorSpec(shape, tf.float32))
    converter = tf.lite.TFLiteConverter.from_concrete_functions([traced])
    for name, value in options.items():
        setattr(converter, name, value)
    return bytes(converter.convert())


def interpreted(content: bytes, x: np.ndarray) -> np.ndarray:
    runner = litert.Interpreter(model_content=content)
    runner.allocate_tensors()
    runner.set_tensor(runner.get_input_details()[0]["index"], x)
    runner.invoke()
    return np.asarray(runner.get_tensor(runner.get_output_details()[0]["index"]))


def run(content: bytes, x: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(read_tflite(content).SerializeToString(), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {session.get_inputs()[0].name: x})[0])


def codes(content: bytes) -> set[str]:
    model = schema.Model.GetRootAs(bytearray(content))
    names = {value: name for name, value in vars(schema.BuiltinOperator).items() if isinstance(value, int)}
    listed = [model.OperatorCodes(n) for n in range(model.OperatorCodesLength())]
    return {names[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())] for code in listed}


def test_codes_and_names_are_those_of_the_schema() -> None:
    assert {name: getattr(schema.BuiltinOperator, name) for name, _ in OPERATORS.values()} == {
        n: c for c, (n, _) in OPERATORS.items()
    }


@pytest.mark.parametrize("name", list(CASES))
def test_the_graph_gives_what_the_interpreter_gives(name: str) -> None:
    shape, function = CASES[name]
    content = converted(function, shape)
    x = (2 * np.random.default_rng(1).normal(size=shape)).astype(np.float32)
    wanted, found = interpreted(content, x), run(content, x)
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)
    assert name.split(" ")[0] in codes(content) or name in MADE_OTHERWISE


MADE_OTHERWISE = {
    "FILL",
    "EMBEDDING_LOOKUP",
    "RELU_N1_TO_1",
    "PRELU",
    "HARD_SWISH",
    "SQUARED_DIFFERENCE",
    "ADD_N",
    "SQUEEZE",
    "EXPAND_DIMS",
    "SELECT_V2",
}
"""The converter may say these in other operators."""


def test_a_shape_that_is_computed_is_filled() -> None:
    content = converted(lambda x: tf.fill([tf.shape(x)[0], 6], 0.5) + tf.matmul(x, tf.ones((6, 6))), (None, 6))
    assert "FILL" in codes(content)
    x = np.ones((1, 6), np.float32)
    np.testing.assert_allclose(run(content, x), np.full((1, 6), 6.5))


def test_signatures_name_inputs_and_outputs(tmp_path: Any) -> None:
    class Module(tf.Module):  # type: ignore[misc]
        @tf.function(
            input_signature=[tf.TensorSpec((None, 4), tf.float32, "b"), tf.TensorSpec((None, 4), tf.float32, "a")]
        )  # type: ignore[untyped-decorator]
        def __call__(self, b: Any, a: Any) -> Any:
            return {"second": b - a, "first": tf.exp(a)}

    tf.saved_model.save(Module(), str(tmp_path / "m"))
    content = tf.lite.TFLiteConverter.from_saved_model(str(tmp_path / "m")).convert()
    graph = read_tflite(content).graph
    assert [one.name for one in graph.input] == ["a", "b"]
    assert [one.name for one in graph.output] == ["first", "second"]
    assert graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"
    a, b = (np.full((2, 4), value, np.float32) for value in (1, 3))
    session = onnxruntime.InferenceSession(read_tflite(content).SerializeToString(), providers=["CPUExecutionProvider"])
    np.testing.assert_allclose(session.run(["second"], {"a": a, "b": b})[0], b - a)


def test_what_is_not_known_is_refused_by_name() -> None:
    with pytest.raises(Refused, match="operator 156"):
        read_tflite(converted(lambda x: tf.math.atan2(x, x + 1), ROW))
    quantised = converted(lambda x: x @ normal(6, 300), ROW, optimizations=[tf.lite.Optimize.DEFAULT])
    with pytest.raises(Refused, match="quantised"):
        read_tflite(quantised)


def test_half_precision_weights_are_read() -> None:
    content = converted(
        lambda x: x @ normal(6, 300), ROW, optimizations=[tf.lite.Optimize.DEFAULT],
        target_spec=tf.lite.TargetSpec(supported_types=[tf.float16]),
    )  # fmt: skip
    x = np.random.default_rng(1).normal(size=ROW).astype(np.float32)
    np.testing.assert_allclose(run(content, x), interpreted(content, x), rtol=1e-4, atol=1e-4)


def test_damaged_files_are_refused_and_nothing_else_is_raised() -> None:
    content = converted(lambda x: tf.nn.relu(x @ normal(6, 3)), ROW)
    draw = np.random.default_rng(2)
    for _ in range(300):
        damaged = bytearray(content)
        for place in draw.integers(0, len(content), 4):
            damaged[place] = draw.integers(0, 256)
        try:
            read_tflite(bytes(damaged))
        except Refused:
            continue
    with pytest.raises(Refused):
        read_tflite(content[:100])
