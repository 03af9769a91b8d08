"""The unseen bench's Keras models: applications that the zoo lacks, and nets as Keras' examples build them, small."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
from keras import Input, Model, Sequential, layers, ops
from paper_models import pictures
from unseen_sizes import SAMPLES
from zoo_models import redrawn

APPLICATIONS = ("MobileNet", "MobileNetV2", "ResNet50", "InceptionResNetV2")
_SIZES = {"InceptionResNetV2": 96}


def unet() -> Model:
    """Image segmentation with skips, transposed convolutions and separable ones."""
    image = Input((32, 32, 3), name="image")
    first = layers.Conv2D(8, 3, strides=2, padding="same")(image)
    first = x = layers.Activation("relu")(layers.BatchNormalization()(first))
    for filters in (16, 24):
        kept = x
        x = layers.SeparableConv2D(filters, 3, padding="same")(layers.Activation("relu")(x))
        x = layers.MaxPooling2D(3, strides=2, padding="same")(layers.BatchNormalization()(x))
        x = layers.add([x, layers.Conv2D(filters, 1, strides=2, padding="same")(kept)])
    for filters in (16, 8):
        kept = x
        x = layers.Conv2DTranspose(filters, 3, padding="same")(layers.Activation("relu")(x))
        x = layers.UpSampling2D(2)(layers.BatchNormalization()(x))
        x = layers.add([x, layers.Conv2D(filters, 1, padding="same")(layers.UpSampling2D(2)(kept))])
    x = layers.UpSampling2D(2)(layers.concatenate([x, first]))
    return Model(image, layers.Conv2D(3, 3, activation="softmax", padding="same")(x))


def bidirectional_lstm() -> Model:
    """Review classification."""
    ids = Input((16,), dtype="int32", name="ids")
    x = layers.Embedding(80, 16)(ids)
    x = layers.Bidirectional(layers.LSTM(8, return_sequences=True))(x)
    return Model(ids, layers.Dense(1, activation="sigmoid")(layers.Bidirectional(layers.LSTM(8))(x)))


def _block(x: keras.KerasTensor, width: int, heads: int, causal: bool = False) -> keras.KerasTensor:
    seen = layers.MultiHeadAttention(heads, width // heads)(x, x, use_causal_mask=causal)
    x = layers.LayerNormalization(epsilon=1e-6)(x + seen)
    inner = layers.Dense(width)(layers.Dense(2 * width, activation="gelu")(x))
    return layers.LayerNormalization(epsilon=1e-6)(x + inner)


def text_transformer() -> Model:
    """Text classification with attention."""
    ids = Input((16,), dtype="int32", name="ids")
    x = layers.Embedding(80, 16)(ids)
    x = _block(x, 16, 2)
    x = layers.GlobalAveragePooling1D()(x)
    return Model(ids, layers.Dense(2, activation="softmax")(layers.Dense(10, activation="relu")(x)))


def miniature_gpt() -> Model:
    """Text generation with a causal mask."""
    ids = Input((16,), dtype="int32", name="ids")
    x = _block(layers.Embedding(80, 16)(ids), 16, 2, causal=True)
    return Model(ids, layers.Dense(80)(x))


def series_transformer() -> Model:
    """Time series classification."""
    series = Input((40, 1), name="series")
    x = layers.MultiHeadAttention(2, 8)(layers.LayerNormalization()(series), series) + series
    kept = x
    x = layers.Conv1D(4, 1, activation="relu")(layers.LayerNormalization()(x))
    x = layers.GlobalAveragePooling1D(data_format="channels_first")(layers.Conv1D(1, 1)(x) + kept)
    return Model(series, layers.Dense(3, activation="softmax")(x))


def conv_lstm() -> Model:
    """Next frame of a film."""
    film = Input((5, 16, 16, 1), name="film")
    x = layers.ConvLSTM2D(4, 5, padding="same", return_sequences=True, activation="relu")(film)
    x = layers.ConvLSTM2D(4, 3, padding="same", return_sequences=True, activation="relu")(
        layers.BatchNormalization()(x)
    )
    return Model(film, layers.Conv3D(1, 3, activation="sigmoid", padding="same")(x))


def gru_translation() -> Model:
    """Sequence to sequence, the encoder's state given to the decoder."""
    source, target = Input((12,), dtype="int32", name="source"), Input((10,), dtype="int32", name="target")
    _, state = layers.GRU(16, return_state=True)(layers.Embedding(60, 8)(source))
    x = layers.GRU(16, return_sequences=True)(layers.Embedding(50, 8)(target), initial_state=state)
    return Model([source, target], layers.Dense(50, activation="softmax")(x))


def scan_3d() -> Model:
    """Classification of CT scans."""
    scan = Input((16, 16, 8, 1), name="scan")
    x = layers.BatchNormalization()(layers.MaxPool3D(2)(layers.Conv3D(8, 3, activation="relu")(scan)))
    return Model(scan, layers.Dense(1, activation="sigmoid")(layers.GlobalAveragePooling3D()(x)))


def vision_transformer() -> Model:
    """Patches by convolution, positions learned."""
    image = Input((32, 32, 3), name="image")
    x = layers.Reshape((16, 16))(layers.Conv2D(16, 8, strides=8)(image))
    x = x + layers.Embedding(16, 16)(ops.arange(16))
    return Model(image, layers.Dense(5)(layers.Flatten()(_block(x, 16, 2))))


def mlp_mixer() -> Model:
    """Dense layers over patches and over channels."""
    image = Input((32, 32, 3), name="image")
    x = layers.Reshape((16, 24))(layers.Conv2D(24, 8, strides=8)(image))
    mixed = layers.Permute((2, 1))(layers.LayerNormalization()(x))
    mixed = layers.Dense(16)(layers.Dense(32, activation="gelu")(mixed))
    x = x + layers.Permute((2, 1))(mixed)
    x = x + layers.Dense(24)(layers.Dense(48, activation="gelu")(layers.LayerNormalization()(x)))
    return Model(image, layers.Dense(5)(layers.GlobalAveragePooling1D()(x)))


def super_resolution() -> Model:
    """Sub-pixel convolution."""
    image = Input((16, 16, 1), name="image")
    x = layers.Conv2D(8, 5, activation="relu", padding="same")(image)
    x = layers.Conv2D(9, 3, padding="same")(x)
    x = ops.reshape(x, (-1, 16, 16, 3, 3))
    return Model(image, ops.reshape(ops.transpose(x, (0, 1, 3, 2, 4)), (-1, 48, 48, 1)))


def generator() -> Model:
    """The generator of a DCGAN."""
    return Sequential([
        Input((32,), name="noise"), layers.Dense(4 * 4 * 16), layers.Reshape((4, 4, 16)),
        layers.Conv2DTranspose(16, 4, strides=2, padding="same"), layers.LeakyReLU(negative_slope=0.2),
        layers.Conv2DTranspose(8, 4, strides=2, padding="same"), layers.LeakyReLU(negative_slope=0.2),
        layers.Conv2D(3, 5, padding="same", activation="sigmoid"),
    ])  # fmt: skip


def wavenet() -> Model:
    """Dilated causal convolutions with gates."""
    series = Input((48, 2), name="series")
    x, skips = layers.Conv1D(8, 2, padding="causal")(series), []
    for rate in (1, 2, 4):
        gate = layers.Conv1D(8, 2, padding="causal", dilation_rate=rate, activation="sigmoid")(x)
        value = layers.Conv1D(8, 2, padding="causal", dilation_rate=rate, activation="tanh")(x)
        inner = layers.Conv1D(8, 1)(layers.multiply([gate, value]))
        skips.append(inner)
        x = layers.add([x, inner])
    return Model(series, layers.Conv1D(4, 1)(layers.Activation("relu")(layers.add(skips))))


def masked_lstm() -> Model:
    """Padded sequences: the embedding masks zeros."""
    ids = Input((16,), dtype="int32", name="ids")
    return Model(ids, layers.Dense(3)(layers.LSTM(8)(layers.Embedding(80, 16, mask_zero=True)(ids))))


EXAMPLES: dict[str, Callable[[], Model]] = {
    made.__name__: made
    for made in (
        unet, bidirectional_lstm, text_transformer, miniature_gpt, series_transformer, conv_lstm, gru_translation, scan_3d,
        vision_transformer, mlp_mixer, super_resolution, generator, wavenet, masked_lstm,
    )
}  # fmt: skip


def save(name: str, file: Path) -> None:
    """Make one, and its inputs beside it as `.npz`."""
    keras.utils.set_random_seed(0)
    random = np.random.default_rng(0)
    if name in APPLICATIONS:
        size = _SIZES.get(name, 64)
        model = getattr(keras.applications, name)(weights=None, input_shape=(size, size, 3), classes=10)
        given = [pictures(size)[:32] / 127.5 - 1]
    else:
        model = EXAMPLES[name]()
        given = [
            random.integers(1, 50, (32, *spec.shape[1:])).astype("int32")
            if spec.dtype.startswith("int")
            else random.normal(size=(32, *spec.shape[1:])).astype("float32")
            for spec in model.inputs
        ]
        if name == "masked_lstm":
            given[0][:, 10:] = 0
    norms = [layer for layer in model._flatten_layers() if isinstance(layer, layers.BatchNormalization)]
    shifts = {id(norm.beta) for norm in norms}
    for weight in model.weights:
        value = redrawn(weight.path, weight.numpy(), random, id(weight) in shifts)
        if value is not None:
            weight.assign(value)
    for norm in norms:
        norm.momentum = 0.5
    for _ in range(4 if norms else 0):
        model(given if len(given) > 1 else given[0], training=True)
    model.save(file)
    np.savez(
        file.with_suffix(".npz"), **{spec.name: one[:SAMPLES] for spec, one in zip(model.inputs, given, strict=True)}
    )
