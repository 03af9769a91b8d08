"""Operators that the SavedModel reader knows: its graph gives what TensorFlow gives, and what is otherwise is refused by name."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from safeconvert.prove.kernel.terms import Refused
from safeconvert.prove.prover import prove
from safeconvert.prove.readers.tf.reader import read_tf
from safeconvert.prove.readers.tf.table import OPERATORS
from tests.prove.graphs import Builder, contract

tf = pytest.importorskip("tensorflow")
keras = pytest.importorskip("keras")
SHAPES = {"image": (None, 8, 7, 4), "row": (None, 6), "steps": (None, 5, 4)}
random = np.random.default_rng(0)
raw = tf.raw_ops


def normal(*shape: int) -> Any:
    return tf.constant(random.normal(size=shape).astype(np.float32))


def batch_norm(x: Any) -> Any:
    return tf.compat.v1.nn.fused_batch_norm(
        x, normal(4), normal(4), normal(4), tf.constant([0.5, 1, 2, 1.5]), epsilon=0.01, is_training=False
    )[0]


EACH: dict[str, Callable[[Any], Any]] = {
    "Relu": tf.nn.relu, "Elu": tf.nn.elu, "Selu": tf.nn.selu, "Sigmoid": tf.sigmoid, "Tanh": tf.tanh, "Exp": tf.exp,
    "Log": lambda x: tf.math.log(x * x + 1), "Sqrt": lambda x: tf.sqrt(x * x), "Rsqrt": lambda x: tf.math.rsqrt(x * x + 1), "Abs": tf.abs,
    "Neg": lambda x: -x, "Erf": tf.math.erf, "Sin": tf.sin, "Cos": tf.cos, "Floor": tf.floor, "Ceil": tf.math.ceil, "Softplus": tf.nn.softplus,
    "Softsign": tf.nn.softsign, "Reciprocal": lambda x: raw.Reciprocal(x=x), "Inv": lambda x: raw.Inv(x=x), "Rint": lambda x: raw.Rint(x=2 * x),
    "Round": lambda x: tf.round(2 * x), "Sign": tf.sign, "Identity": tf.identity, "StopGradient": tf.stop_gradient,
    "PreventGradient": lambda x: raw.PreventGradient(input=x), "Snapshot": lambda x: raw.Snapshot(input=x),
    "Add": lambda x: raw.Add(x=x, y=normal(6)), "AddV2": lambda x: x + normal(6), "Sub": lambda x: 1.5 - x, "Mul": lambda x: x * tf.exp(x),
    "RealDiv": lambda x: x / tf.exp(x), "Maximum": lambda x: tf.maximum(x, 0.3), "Minimum": lambda x: tf.minimum(x, tf.sin(x)),
    "Pow": lambda x: tf.pow(x * x + 0.1, normal(6)),
    **{name: lambda x, compare=compare: tf.where(compare(x, tf.sin(x)), x, 2 * x) for name, compare in {
        "Less": tf.less, "Greater": tf.greater, "LessEqual": tf.less_equal, "GreaterEqual": tf.greater_equal, "Equal": tf.equal}.items()},
    "LogicalAnd": lambda x: tf.where(tf.logical_and(x < 1, x > -1), x, 2 * x),
    "LogicalOr": lambda x: tf.where(tf.logical_or(x > 1, x < -1), x, 2 * x), "SelectV2": lambda x: tf.where(x > 0.1, x, tf.exp(x)),
    "Relu6": tf.nn.relu6, "Erfc": tf.math.erfc, "ZerosLike": lambda x: x + tf.zeros_like(x), "LeakyRelu": lambda x: tf.nn.leaky_relu(x, 0.3), "Square": tf.square,
    "SquaredDifference": lambda x: tf.math.squared_difference(x, tf.sin(x)), "Softmax": tf.nn.softmax, "LogSoftmax": tf.nn.log_softmax,
    "Mean": lambda x: tf.reduce_mean(x, 1, keepdims=True), "Sum": lambda x: tf.reduce_sum(x, 1), "Max": lambda x: tf.reduce_max(x, 1),
    "Min": lambda x: tf.reduce_min(x, 1), "Prod": lambda x: tf.reduce_prod(x, 1), "MatMul": lambda x: tf.matmul(x, normal(3, 6), transpose_b=True),
    "ExpandDims": lambda x: tf.expand_dims(x, 1), "Pack": lambda x: tf.stack([x, tf.exp(x)], 1), "Cast": lambda x: tf.cast(tf.cast(3 * x, tf.int32), tf.float32),
    "BiasAdd": lambda x: tf.nn.bias_add(x, normal(6)), "Shape": lambda x: tf.reshape(x, [tf.shape(x)[0], 2, 3]),
    "Fill": lambda x: x + tf.fill([tf.shape(x)[0], 6], 0.5), "Range": lambda x: tf.gather(x, raw.Range(start=0, limit=6, delta=2), axis=1),
    "NotEqual": lambda x: tf.where(tf.not_equal(tf.cast(3 * x, tf.int32), 0), x, 2 * x), "LogicalNot": lambda x: tf.where(tf.logical_not(x > 0.3), x, 2 * x),
    "FloorMod": lambda x: tf.cast(tf.cast(9 * x, tf.int32) % tf.constant([2, -3, 5, -7, 4, 3]), tf.float32), "Cumsum": lambda x: tf.cumsum(x, 1),
    "Cumsum backwards": lambda x: tf.cumsum(x, 1, exclusive=True, reverse=True), "Tile": lambda x: tf.tile(x, (1, 3)),
    "BroadcastTo": lambda x: tf.broadcast_to(x, [2, tf.shape(x)[0], 6]), "GatherV2 in batches": lambda x: tf.gather(x, tf.cast(x[:, :2] > 0, tf.int32), axis=1, batch_dims=1), "GatherNd": lambda x: tf.gather_nd(x, tf.constant([[0, 5], [1, 1]])),
    "Any": lambda x: tf.where(tf.reduce_any(x > 1.0, 1, keepdims=True), x, 2 * x), "All": lambda x: tf.where(tf.reduce_all(x > -1.0, 1, keepdims=True), x, 2 * x),
    "ArgMax": lambda x: tf.cast(tf.argmax(x, 1), tf.float32), "ArgMin": lambda x: tf.cast(tf.argmin(x, 1, output_type=tf.int32), tf.float32),
}  # fmt: skip
IMAGES: dict[str, Callable[[Any], Any]] = {
    "Transpose": lambda x: tf.transpose(x, (0, 3, 1, 2)), "Reshape": lambda x: tf.reshape(x, (-1, 7, 4)),
    "Squeeze": lambda x: tf.squeeze(x[:, :, :1], 2), "Pad": lambda x: tf.pad(x, [[0, 0], [1, 2], [0, 3], [0, 0]]),
    "PadV2": lambda x: tf.pad(x, [[0, 0], [1, 2], [0, 3], [0, 0]], constant_values=0.5), "ConcatV2": lambda x: tf.concat([x, tf.tanh(x)], 2),
    "StridedSlice": lambda x: x[:, ::-2, -3, 1:3], "GatherV2": lambda x: tf.gather(x, tf.constant([3, 1, 1]), axis=2),
    "Split": lambda x: tf.split(x, 2, 3)[1], "ReverseV2": lambda x: tf.reverse(x, [1, 3]),
    "Conv2D": lambda x: tf.nn.conv2d(x, normal(3, 2, 4, 5), (2, 1), "SAME"),
    "Conv2D dilated": lambda x: tf.nn.conv2d(x, normal(3, 3, 4, 5), 1, "VALID", dilations=(1, 2)),
    "DepthwiseConv2dNative": lambda x: tf.nn.depthwise_conv2d(x, normal(3, 3, 4, 2), (1, 2, 2, 1), "SAME"),
    "MaxPool": lambda x: tf.nn.max_pool2d(x, (2, 3), (2, 2), "SAME"), "AvgPool": lambda x: tf.nn.avg_pool2d(x, (3, 2), (2, 1), "SAME"),
    "FusedBatchNormV3": batch_norm, "ResizeBilinear": lambda x: tf.image.resize(x, (5, 9)),
    "ResizeNearestNeighbor": lambda x: tf.image.resize(x, (5, 9), "nearest"),
}  # fmt: skip
STEPS: dict[str, Callable[[Any], Any]] = {
    "BatchMatMulV2": lambda x: tf.matmul(x, tf.transpose(x, (0, 2, 1))),
    "BatchMatMulV3": lambda x: raw.BatchMatMulV3(x=x, y=tf.transpose(x, (0, 2, 1)), Tout=tf.float32),
    "Einsum": lambda x: tf.einsum("nsm,mkh->nhsk", x, normal(4, 3, 2)),
}  # fmt: skip
CASES = {"row": EACH, "image": IMAGES, "steps": STEPS}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One model with an output for each case."""

    class Module(tf.Module):  # type: ignore[misc]
        @tf.function(input_signature=[tf.TensorSpec(shape, tf.float32, name) for name, shape in SHAPES.items()])  # type: ignore[untyped-decorator]
        def __call__(self, image: Any, row: Any, steps: Any) -> Any:
            given = {"image": image, "row": row, "steps": steps}
            return {name: function(given[kind]) for kind, cases in CASES.items() for name, function in cases.items()}

    path = tmp_path_factory.mktemp("saved") / "model"
    tf.saved_model.save(Module(), str(path))
    return path


def feeds(batch: int = 3) -> dict[str, np.ndarray]:
    draw = np.random.default_rng(1)
    return {name: (2 * draw.normal(size=(batch, *shape[1:]))).astype(np.float32) for name, shape in SHAPES.items()}


def run(model: onnx.ModelProto, given: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    names = [one.name for one in session.get_outputs()]
    return dict(zip(names, session.run(None, {one.name: given[one.name] for one in session.get_inputs()}), strict=True))


def test_what_cancels_in_an_offset_stays_visible(tmp_path: Path) -> None:
    """Folded in float32, 1e4 - 9999.9 is off by far more than float32's rounding of the difference."""
    factor, shift, mean = (np.full(6, value, np.float32) for value in (2.0, 1e4, 4999.95))

    class Module(tf.Module):  # type: ignore[misc]
        @tf.function(input_signature=[tf.TensorSpec((None, 6), tf.float32, "x")])  # type: ignore[untyped-decorator]
        def __call__(self, x: Any) -> Any:
            return {"y": x * factor + (tf.constant(shift) - tf.constant(mean) * factor)}

    tf.saved_model.save(Module(), str(tmp_path / "model"))
    offset = (shift.astype(np.float64) - mean.astype(np.float64) * 2 + 1e-4).astype(np.float32)
    b = Builder(["n", 6])
    target = b.model(b("Add", b("Mul", "x", b.constant(factor)), b.constant(offset)))
    assert prove(read_tf(tmp_path / "model"), target, contract()).proven


LOOPS: dict[str, Callable[[], Any]] = {
    "lstm and gru": lambda: keras.Sequential([keras.layers.LSTM(3, return_sequences=True), keras.layers.GRU(2)]),
    "backwards": lambda: keras.Sequential([keras.layers.SimpleRNN(3, go_backwards=True, return_sequences=True)]),
}


@pytest.mark.parametrize("name", list(LOOPS))
def test_loops_of_a_fixed_number_of_steps_are_read_step_by_step(name: str, tmp_path: Path) -> None:
    net = LOOPS[name]()
    net.build((None, 5, 4))
    net.export(str(tmp_path / "saved"), verbose=False)
    x = feeds()["steps"]
    model = read_tf(tmp_path / "saved")
    given = {model.graph.input[0].name: x}
    [found] = run(model, given).values()
    np.testing.assert_allclose(found, np.asarray(net(x)), rtol=1e-4, atol=1e-5)


def test_a_loop_of_free_length_is_refused(tmp_path: Path) -> None:
    net = keras.Sequential([keras.layers.GRU(2)])
    net.build((None, None, 4))
    net.export(str(tmp_path / "saved"), verbose=False)
    with pytest.raises(Refused, match="not fixed"):
        read_tf(tmp_path / "saved")


def test_every_operator_has_a_case() -> None:
    assert OPERATORS.keys() == {name.split(" ")[0] for cases in CASES.values() for name in cases}


def test_the_graph_gives_what_tensorflow_gives(folder: Path) -> None:
    found = run(read_tf(folder), feeds())
    wanted = tf.saved_model.load(str(folder)).signatures["serving_default"](
        **{n: tf.constant(a) for n, a in feeds().items()}
    )
    assert found.keys() == wanted.keys()
    for name, array in wanted.items():
        np.testing.assert_allclose(found[name], array, rtol=1e-4, atol=1e-5, err_msg=name)


def test_a_keras_models_variables_are_those_of_the_checkpoint(tmp_path: Path) -> None:
    layers = keras.layers
    x = keras.Input((8, 8, 3))
    y = layers.BatchNormalization(moving_mean_initializer="normal")(layers.Conv2D(4, 3, bias_initializer="normal")(x))
    model = keras.Model(x, layers.Dense(3)(layers.Dense(4)(layers.Flatten()(layers.ReLU()(y)))))
    model.export(str(tmp_path / "m"), verbose=False)
    graph = read_tf(tmp_path / "m")
    given = np.random.default_rng(0).normal(size=(2, 8, 8, 3)).astype(np.float32)
    [found] = run(graph, {graph.graph.input[0].name: given}).values()
    np.testing.assert_allclose(found, model(given), rtol=1e-4, atol=1e-5)


class Counting(tf.Module):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.count = tf.Variable(0.0)

    @tf.function(input_signature=[tf.TensorSpec((None, 2), tf.float32)])  # type: ignore[untyped-decorator]
    def __call__(self, x: Any) -> Any:
        self.count.assign_add(1.0)
        return x * self.count


class Moments(tf.Module):  # type: ignore[misc]
    @tf.function(input_signature=[tf.TensorSpec((None, 8, 7, 4), tf.float32)])  # type: ignore[untyped-decorator]
    def __call__(self, x: Any) -> Any:
        return tf.compat.v1.nn.fused_batch_norm(
            x, normal(4), normal(4), normal(4), tf.constant([0.5, 1, 2, 1.5]), epsilon=0.01, is_training=False
        )[1]


class Sorting(tf.Module):  # type: ignore[misc]
    @tf.function(input_signature=[tf.TensorSpec((None, 2), tf.float32)])  # type: ignore[untyped-decorator]
    def __call__(self, x: Any) -> Any:
        return tf.sort(x, 1)


@pytest.mark.parametrize(
    ("module", "named"), [(Counting, "writes variables"), (Sorting, "TopKV2"), (Moments, "batch_mean")]
)
def test_what_is_not_known_is_refused_by_name(module: Any, named: str, tmp_path: Path) -> None:
    tf.saved_model.save(module(), str(tmp_path / "m"))
    with pytest.raises(Refused, match=named):
        read_tf(tmp_path / "m")


def test_damaged_folders_are_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(Refused):
        read_tf(tmp_path)
    copied = tmp_path / "copy"
    shutil.copytree(folder, copied)
    content = (copied / "saved_model.pb").read_bytes()
    draw = np.random.default_rng(0)
    for _ in range(20):
        damaged = bytearray(content)
        for place in draw.integers(0, len(content), 40):
            damaged[place] = draw.integers(0, 256)
        (copied / "saved_model.pb").write_bytes(bytes(damaged))
        try:
            read_tf(copied)
        except Refused:
            continue
