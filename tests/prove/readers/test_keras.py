"""Every layer that the Keras reader knows: its graph gives what Keras gives, and a file that is otherwise is refused by name."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from safeconvert.prove.kernel.terms import Refused
from safeconvert.prove.readers.keras.reader import read_keras
from safeconvert.prove.readers.keras.table import LAYERS

keras = pytest.importorskip("keras")
convnext = pytest.importorskip("keras.src.applications.convnext")
inception_resnet = pytest.importorskip("keras.src.applications.inception_resnet_v2")
L = keras.layers
IMAGE, SIGNAL, VOLUME, ROW, STEPS = (8, 7, 4), (9, 4), (5, 6, 4, 2), (6,), (5, 4)
BIASED = {"bias_initializer": "normal"}


def numbers(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def norm(**options: Any) -> Any:
    return L.BatchNormalization(
        moving_mean_initializer="normal", beta_initializer="normal", gamma_initializer=keras.initializers.RandomUniform(0.5, 2),
        moving_variance_initializer=keras.initializers.RandomUniform(0.5, 2), **options,
    )  # fmt: skip


def twice(layer: Any) -> Callable[[Any], Any]:
    return lambda x: layer([x, L.Activation("tanh")(x)])


def adapted(**options: Any) -> Callable[[Any], Any]:
    """A Normalization as it is once it has adapted, one of its deviations next to nothing."""

    def build(x: Any) -> Any:
        layer = L.Normalization(**options)
        layer.build(x.shape)
        shape = layer.adapt_mean.shape
        layer.adapt_mean.assign(numbers(shape, 3))
        variance = np.array(numbers(shape, 4) ** 2 + 0.1)
        variance.flat[0] = 1e-18
        layer.adapt_variance.assign(variance)
        layer.count.assign(7)
        layer.finalize_state()
        return layer(x)

    return build


def scaled(layer: Any) -> Callable[[Any], Any]:
    def build(x: Any) -> Any:
        made = layer(x)
        layer.gamma.assign(numbers(layer.gamma.shape, 5))
        return made

    return build


CASES: dict[str, tuple[tuple[int | None, ...], Callable[[Any], Any]]] = {
    "Dense": (STEPS, L.Dense(3, activation="relu", **BIASED)),
    "Dense without bias": (ROW, L.Dense(3, use_bias=False, activation="softmax")),
    "Embedding of integers": (STEPS, lambda x: keras.ops.cast(L.Embedding(2, 3, dtype="int64", embeddings_initializer="ones")(L.Activation("sigmoid")(x)), "float32")),
    "Embedding": (STEPS, lambda x: L.Embedding(7, 3)(L.Rescaling(3.0, 3.0)(L.Activation("sigmoid")(x)))),
    "BatchNormalization": (IMAGE, norm()),
    "BatchNormalization of the second axis": (IMAGE, norm(axis=1, scale=False, epsilon=0.1)),
    "BatchNormalization of rows": (ROW, norm(center=False)),
    "LayerNormalization": (STEPS, L.LayerNormalization(beta_initializer="normal", gamma_initializer="normal", epsilon=0.1)),
    "LayerNormalization without shift": (STEPS, L.LayerNormalization(center=False, gamma_initializer="normal")),
    "Rescaling": (ROW, L.Rescaling(0.5, 0.25)),
    "Rescaling by channel": (IMAGE, L.Rescaling([0.5, 2.0, 3.0, 1.0], offset=[1.0, 0.0, 0.5, 2.0])),
    "Rescaling by an array": (IMAGE, L.Rescaling(numbers((4,)))),
    "Normalization": (IMAGE, L.Normalization(mean=[0.5, 1.0, 2.0, 3.0], variance=[0.25, 0.5, 1.0, 2.0])),
    "Normalization by one number": (IMAGE, L.Normalization(mean=0.5, variance=0.25)),
    "Normalization of the second axis": (IMAGE, L.Normalization(axis=1, mean=numbers((8,)), variance=numbers((8,)) ** 2)),
    "Normalization of several axes": (IMAGE, adapted(axis=(3, 1))),
    "Normalization by the last of several axes": (IMAGE, L.Normalization(axis=(1, 3), mean=numbers((4,)), variance=numbers((4,)) ** 2)),
    "Normalization, adapted": (ROW, adapted()),
    "Normalization, adapted without an axis": (ROW, adapted(axis=None)),
    "Normalization, the other way around": (IMAGE, adapted(invert=True)),
    "LayerScale": (IMAGE, scaled(convnext.LayerScale(0.5, 4))),
    "StochasticDepth": (IMAGE, convnext.StochasticDepth(0.1)),
    "CustomScaleLayer": (IMAGE, twice(inception_resnet.CustomScaleLayer(0.3))),
    "Add": (IMAGE, twice(L.Add())),
    "Subtract": (IMAGE, twice(L.Subtract())),
    "Multiply": (IMAGE, twice(L.Multiply())),
    "Maximum": (IMAGE, twice(L.Maximum())),
    "Minimum": (IMAGE, twice(L.Minimum())),
    "Average": (IMAGE, twice(L.Average())),
    "Concatenate": (IMAGE, twice(L.Concatenate(axis=2))),
    "Flatten": (IMAGE, L.Flatten()),
    "Flatten, channels first": (IMAGE, L.Flatten(data_format="channels_first")),
    "Reshape": (IMAGE, L.Reshape((7, -1, 4))),
    "Permute": (IMAGE, L.Permute((3, 1, 2))),
    "Activation": (ROW, L.Activation("gelu")),
    **{f"Activation {name}": (ROW, L.Activation(name)) for name in (
        "relu6", "elu", "selu", "softplus", "softsign", "exponential", "mish", "log_softmax", "silu", "hard_sigmoid", "hard_silu", "leaky_relu")},
    "ReLU": (ROW, L.ReLU(max_value=0.7)),
    "ReLU with a slope": (ROW, L.ReLU(negative_slope=0.3)),
    "LeakyReLU": (ROW, L.LeakyReLU(negative_slope=0.25)),
    "ELU": (ROW, L.ELU(alpha=0.7)),
    "PReLU": (IMAGE, L.PReLU(alpha_initializer="normal", shared_axes=[1, 2])),
    "Softmax": (STEPS, L.Softmax(axis=1)),
    "MultiHeadAttention": (STEPS, lambda x: L.MultiHeadAttention(2, 3, value_dim=5, **BIASED)(x, x)),
    "MultiHeadAttention of three": (STEPS, lambda x: L.MultiHeadAttention(2, 3, use_bias=False)(x, L.Activation("tanh")(x), key=L.ReLU()(x))),
    "LSTM": (STEPS, L.LSTM(3, return_sequences=True, **BIASED)),
    "LSTM backwards": (STEPS, L.LSTM(3, return_sequences=True, go_backwards=True, **BIASED)),
    "GRU": (STEPS, L.GRU(3, **BIASED)),
    "GRU that resets before": (STEPS, L.GRU(3, reset_after=False, **BIASED)),
    "SimpleRNN": (STEPS, L.SimpleRNN(3, go_backwards=True, use_bias=False)),
    "Bidirectional": (STEPS, L.Bidirectional(L.LSTM(3, return_sequences=True, **BIASED))),
    "Bidirectional, last": (STEPS, L.Bidirectional(L.GRU(3, **BIASED))),
    **{f"{kind.__name__}": (ROW, kind(0.3)) for kind in (L.Dropout, L.GaussianDropout, L.GaussianNoise, L.AlphaDropout)},
    "SpatialDropout1D": (SIGNAL, L.SpatialDropout1D(0.3)),
    "SpatialDropout2D": (IMAGE, L.SpatialDropout2D(0.3)),
    "SpatialDropout3D": (VOLUME, L.SpatialDropout3D(0.3)),
    "ActivityRegularization": (ROW, L.ActivityRegularization(0.1)),
    "Identity": (ROW, L.Identity()),
    "Conv1D": (SIGNAL, L.Conv1D(3, 3, padding="causal", dilation_rate=2, activation="tanh", **BIASED)),
    "Conv2D": (IMAGE, L.Conv2D(6, (3, 2), strides=(2, 1), padding="same", groups=2, activation="relu", **BIASED)),
    "Conv2D, dilated": (IMAGE, L.Conv2D(3, 3, dilation_rate=2, use_bias=False)),
    "Conv3D": (VOLUME, L.Conv3D(3, 2, padding="same", **BIASED)),
    "Conv1DTranspose": (SIGNAL, L.Conv1DTranspose(3, 3, strides=2, padding="same", **BIASED)),
    "Conv2DTranspose": (IMAGE, L.Conv2DTranspose(3, (3, 2), strides=(2, 3), **BIASED)),
    "Conv2DTranspose, same": (IMAGE, L.Conv2DTranspose(3, (4, 2), strides=(2, 3), padding="same", **BIASED)),
    "Conv3DTranspose": (VOLUME, L.Conv3DTranspose(3, 3, strides=2, padding="same", **BIASED)),
    "DepthwiseConv1D": (SIGNAL, L.DepthwiseConv1D(3, depth_multiplier=2, **BIASED)),
    "DepthwiseConv2D": (IMAGE, L.DepthwiseConv2D(3, strides=2, padding="same", depth_multiplier=2, **BIASED)),
    "SeparableConv1D": (SIGNAL, L.SeparableConv1D(3, 3, padding="same", **BIASED)),
    "SeparableConv2D": (IMAGE, L.SeparableConv2D(3, 3, depth_multiplier=2, **BIASED)),
    "MaxPooling1D": (SIGNAL, L.MaxPooling1D(3, strides=2, padding="same")),
    "MaxPooling2D": (IMAGE, L.MaxPooling2D((2, 3), padding="same")),
    "MaxPooling3D": (VOLUME, L.MaxPooling3D(2)),
    "AveragePooling1D": (SIGNAL, L.AveragePooling1D(2, strides=1, padding="same")),
    "AveragePooling2D": (IMAGE, L.AveragePooling2D(3, strides=2, padding="same")),
    "AveragePooling3D": (VOLUME, L.AveragePooling3D(2)),
    "GlobalAveragePooling1D": (SIGNAL, L.GlobalAveragePooling1D()),
    "GlobalAveragePooling2D": (IMAGE, L.GlobalAveragePooling2D(keepdims=True)),
    "GlobalAveragePooling3D": (VOLUME, L.GlobalAveragePooling3D()),
    "GlobalMaxPooling1D": (SIGNAL, L.GlobalMaxPooling1D()),
    "GlobalMaxPooling2D": (IMAGE, L.GlobalMaxPooling2D()),
    "GlobalMaxPooling3D": (VOLUME, L.GlobalMaxPooling3D()),
    "ZeroPadding1D": (SIGNAL, L.ZeroPadding1D((1, 2))),
    "ZeroPadding2D": (IMAGE, L.ZeroPadding2D(((1, 2), (0, 3)))),
    "ZeroPadding3D": (VOLUME, L.ZeroPadding3D(1)),
    "Cropping1D": (SIGNAL, L.Cropping1D((1, 0))),
    "Cropping2D": (IMAGE, L.Cropping2D(((1, 2), (0, 3)))),
    "Cropping3D": (VOLUME, L.Cropping3D(1)),
    "UpSampling1D": (SIGNAL, L.UpSampling1D(2)),
    "UpSampling2D": (IMAGE, L.UpSampling2D((2, 3))),
    "UpSampling2D, bilinear": (IMAGE, L.UpSampling2D(2, interpolation="bilinear")),
    "Resizing": (IMAGE, L.Resizing(5, 11)),
    "Resizing, channels first": (IMAGE, L.Resizing(3, 9, data_format="channels_first")),
    "Resizing to the nearest": (IMAGE, L.Resizing(5, 11, interpolation="nearest")),
    "UpSampling3D": (VOLUME, L.UpSampling3D(2)),
}  # fmt: skip


def model_of(shape: tuple[int | None, ...], build: Callable[[Any], Any]) -> Any:
    x = keras.Input(shape)
    return keras.Model(x, build(x))


def saved(model: Any, folder: Path, suffix: str = ".keras") -> bytes:
    path = folder / f"model{suffix}"
    model.save(path)
    return path.read_bytes()


def run(content: bytes, *inputs: np.ndarray) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(read_keras(content).SerializeToString(), providers=["CPUExecutionProvider"])
    found = session.run(None, {one.name: array for one, array in zip(session.get_inputs(), inputs, strict=True)})
    return [np.asarray(array) for array in found]


def test_every_layer_has_a_case() -> None:
    assert LAYERS.keys() == {name.split(",")[0].split(" ")[0] for name in CASES}


@pytest.mark.parametrize("name", list(CASES))
def test_the_graph_gives_what_keras_gives(name: str, tmp_path: Path) -> None:
    shape, build = CASES[name]
    model = model_of(shape, build)
    x = 2 * numbers((3, *(size or 5 for size in shape)))
    [found] = run(saved(model, tmp_path), x)
    wanted = np.asarray(model(x, training=False))
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_models_of_several_layers_of_one_class(suffix: str, tmp_path: Path) -> None:
    x = keras.Input((6, 6, 3), name="picture")
    shared = L.Conv2D(3, 3, padding="same", **BIASED)
    once = norm()(shared(x))
    both = L.Add()([shared(once), x])
    model = keras.Model(x, [L.Dense(2)(L.Flatten()(both)), L.Dense(4, **BIASED)(L.Flatten()(once))])
    given = numbers((2, 6, 6, 3))
    for found, wanted in zip(run(saved(model, tmp_path, suffix), given), model(given, training=False), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)


def test_models_within_models_and_sequential_ones(tmp_path: Path) -> None:
    inner = keras.Sequential([keras.Input((4,)), L.Dense(5, activation="tanh"), L.Dense(4, **BIASED)])
    x, y = keras.Input((4,)), keras.Input((4,))
    model = keras.Model([x, y], L.Subtract()([inner(x), inner(L.Dense(4)(y))]))
    given = numbers((2, 4)), numbers((2, 4), 1)
    [found] = run(saved(model, tmp_path), *given)
    np.testing.assert_allclose(found, model(list(given)), rtol=1e-4, atol=1e-5)
    [alone] = run(saved(inner, tmp_path), given[0])
    np.testing.assert_allclose(alone, inner(given[0]), rtol=1e-4, atol=1e-5)


def test_operations_of_a_layer_s_class_are_not_counted_with_the_layers(tmp_path: Path) -> None:
    x = keras.Input((4,))
    scaled = keras.ops.multiply(x, x)  # is of the class Multiply too, and no layer: the file holds nothing of it
    model = keras.Model(x, L.Multiply()([L.Multiply()([L.Dense(4)(scaled), x]), x]))
    given = numbers((2, 4))
    [found] = run(saved(model, tmp_path), given)
    np.testing.assert_allclose(found, model(given), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("build", "named"),
    [
        (L.GroupNormalization(2), "GroupNormalization"),
        (L.Dense(3, dtype="float16"), "float16"),
        (L.Conv2D(2, 3, activation=keras.activations.hard_tanh), "hard_tanh"),
        (L.LSTM(2, return_sequences=True, unroll=False, stateful=False, recurrent_activation="tanh"), "recurrent_activation"),
        (L.UpSampling2D(2, interpolation="bicubic"), "bicubic"),
        (L.BatchNormalization(renorm=True), "renorm"),
        (L.Resizing(4, 4, interpolation="bicubic"), "bicubic"),
        (L.Resizing(4, 4, antialias=True), "antialias"),
        (L.Resizing(4, 4, crop_to_aspect_ratio=True), "crop_to_aspect_ratio"),
    ],
)  # fmt: skip
def test_what_is_not_known_is_refused_by_name(build: Any, named: str, tmp_path: Path) -> None:
    shape = STEPS if "recurrent" in named else IMAGE
    with pytest.raises(Refused, match=named):
        read_keras(saved(model_of(shape, build), tmp_path))


def test_a_class_of_ones_own_is_not_kerass_of_the_same_name(tmp_path: Path) -> None:
    content = saved(model_of(ROW, L.Dense(3)), tmp_path)
    for change in ({"module": "mine"}, {"registered_name": "mine>Dense"}):
        with pytest.raises(Refused, match="mine"):
            read_keras(
                altered(
                    content,
                    lambda layer, change=change: layer.update(change) if layer["class_name"] == "Dense" else None,
                )
            )


def test_nor_is_it_within_another(tmp_path: Path) -> None:
    content = saved(model_of(STEPS, L.Bidirectional(L.GRU(3))), tmp_path)

    def spoil(layer: dict[str, Any]) -> None:
        if layer["class_name"] == "Bidirectional":
            layer["config"]["layer"]["registered_name"] = "mine>GRU"

    with pytest.raises(Refused, match="mine"):
        read_keras(altered(content, spoil))


def test_weights_of_another_layer_are_not_taken(tmp_path: Path) -> None:
    content = saved(model_of(ROW, L.Dense(3, name="first")), tmp_path)
    renamed = altered(
        content, lambda layer: layer["config"].update(name="other") if layer["class_name"] == "Dense" else None
    )
    with pytest.raises(Refused):
        read_keras(renamed)


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    content = saved(model_of(ROW, L.Dense(3)), tmp_path)
    for damaged in (b"", b"PK", content[: len(content) // 2], content[:-40], b"\x89HDF\r\n\x1a\n" + bytes(200)):
        with pytest.raises(Refused):
            read_keras(damaged)


def altered(content: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    """A .keras file with every layer's configuration changed."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as held, zipfile.ZipFile(made, "w") as other:
        for name in held.namelist():
            data = held.read(name)
            if name == "config.json":
                config = json.loads(data)
                for layer in config["config"]["layers"]:
                    change(layer)
                data = json.dumps(config).encode()
            other.writestr(name, data)
    return made.getvalue()
