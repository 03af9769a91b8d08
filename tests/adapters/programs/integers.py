"""Small nets in eight bits, one about each operator: `integers.py FOLDER [--sixteen] [NAME…]`; writes `NAME.tflite`, whose ends are int8.

`--sixteen`: activations and ends in int16, weights in int8.
"""

import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from keras import layers

IMAGE = (9, 10, 6)


class Call(layers.Layer):
    """A function of TensorFlow as a layer."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def call(self, *inputs):
        return self.function(*inputs)


def behind(*functions):
    """Layers and functions one after another."""

    def built(x):
        for function in functions:
            x = (function if isinstance(function, layers.Layer) else Call(function))(x)
        return x

    return built


def two(function, squashed=False):
    """A function of two convolutions, whose scales differ."""

    def built(x):
        activation = "sigmoid" if squashed else None
        one, other = layers.Conv2D(6, 1)(x), layers.Conv2D(6, 3, padding="same", activation=activation)(x)
        return Call(function)(one, other)

    return built


def rows(x):
    """An image as one row a pixel."""
    return tf.reshape(x, [-1, 90, 6])


def deep_rows(x):
    """An image as one row a pixel column, whose products are beyond 24 bits."""
    return tf.reshape(x, [-1, 1, 540])


def drawn(*shape):
    return np.random.default_rng(3).normal(0, 1, shape).astype("float32")


def conv(**options):
    return layers.Conv2D(6, 1, **options)


def deep(x):
    """Twelve layers, in which steps add up."""
    for width in (16, 16, 16, 16):
        y = layers.Conv2D(width, 3, padding="same", activation="relu")(x)
        y = layers.Conv2D(width, 3, padding="same")(y)
        x = layers.ReLU()(layers.Add()([layers.Conv2D(width, 1)(x), y]))
    return layers.Dense(10)(layers.GlobalAveragePooling2D()(x))


NETS = {
    "CONV_2D": behind(layers.Conv2D(8, 3, padding="same")),
    "CONV_2D-relu": behind(layers.Conv2D(8, 3, 2, activation="relu")),
    "CONV_2D-relu6": behind(layers.Conv2D(8, (2, 3), (1, 2), "same"), layers.ReLU(6.0)),
    "CONV_2D-wide": behind(
        conv(), layers.Conv2D(400, 1), layers.Conv2D(4, 3, padding="same", kernel_initializer="ones")
    ),
    "CONV_2D-groups": behind(layers.Conv2D(12, 3, groups=3)),
    "DEPTHWISE_CONV_2D": behind(layers.DepthwiseConv2D(3, padding="same")),
    "DEPTHWISE_CONV_2D-2": behind(layers.DepthwiseConv2D(3, 2, "same", depth_multiplier=2, activation="relu")),
    "FULLY_CONNECTED": behind(layers.Flatten(), layers.Dense(10)),
    "FULLY_CONNECTED-rows": behind(layers.Dense(7, use_bias=False, activation="relu")),
    "TRANSPOSE_CONV": behind(layers.Conv2DTranspose(5, 3, 2, "same")),
    "TRANSPOSE_CONV-fixed": behind(layers.Conv2DTranspose(5, 3, 2, "same")),
    "TRANSPOSE_CONV-valid": behind(layers.Conv2DTranspose(5, 3, 2)),
    "ADD": two(lambda a, b: a + b),
    "ADD-relu": two(lambda a, b: tf.nn.relu(a + 30 * b)),
    "ADD-constant": behind(conv(), tf.nn.tanh, lambda x: x + np.linspace(-1, 1, 6).astype("float32")),
    "ADD-mean": two(lambda a, b: a + tf.reduce_mean(b, [1, 2], True)),
    "ADD-scalar": behind(conv(), tf.nn.tanh, lambda x: x + 0.7),
    "SUB": two(lambda a, b: a - b),
    "SUB-constant": behind(conv(), tf.nn.tanh, lambda x: np.linspace(-1, 1, 6).astype("float32") - x),
    "MUL": two(lambda a, b: a * b),
    "MUL-mean": two(lambda a, b: a * tf.reduce_mean(b, [1, 2], True)),
    "MUL-sigmoid": two(lambda a, b: a * b, squashed=True),
    "MAXIMUM": two(tf.maximum),
    "MINIMUM": two(tf.minimum),
    "CONCATENATION": two(lambda a, b: tf.concat([a, b], 3)),
    "CONCATENATION-1": two(lambda a, b: tf.concat([a, b], 1)),
    "MEAN": behind(layers.GlobalAveragePooling2D()),
    "MEAN-kept": behind(conv(), layers.GlobalAveragePooling2D(keepdims=True), conv()),
    "MEAN-channels": behind(lambda x: tf.reduce_mean(x, 3)),
    "SUM": behind(lambda x: tf.reduce_sum(x, [1, 2])),
    "REDUCE_MAX": behind(lambda x: tf.reduce_max(x, [1, 2])),
    "AVERAGE_POOL_2D": behind(layers.AveragePooling2D(2)),
    "AVERAGE_POOL_2D-same": behind(layers.AveragePooling2D(3, 2, "same")),
    "MAX_POOL_2D": behind(layers.MaxPooling2D(3, 2, "same")),
    "SOFTMAX": behind(layers.Flatten(), layers.Dense(10), layers.Softmax()),
    "SOFTMAX-100": behind(layers.Flatten(), layers.Dense(100), layers.Softmax()),
    "LOGISTIC": behind(conv(), tf.sigmoid),
    "TANH": behind(conv(), tf.tanh),
    "HARD_SWISH": behind(conv(), lambda x: x * tf.nn.relu6(x + 3.0) * (1 / 6.0)),
    "LEAKY_RELU": behind(conv(), layers.LeakyReLU(0.2)),
    "PRELU": behind(conv(), layers.PReLU(alpha_initializer="glorot_uniform", shared_axes=[1, 2])),
    "GELU": behind(conv(), layers.Activation("gelu")),
    "RELU": behind(layers.Reshape((10, 54)), layers.ReLU()),
    "RELU6": behind(layers.Reshape((10, 54)), layers.ReLU(6.0)),
    "ABS": behind(conv(), tf.abs),
    "SQRT": behind(conv(), tf.abs, tf.sqrt),
    "RSQRT": behind(conv(), tf.abs, lambda x: x + 0.5, tf.math.rsqrt),
    "EXP": behind(conv(), tf.exp),
    "RESIZE_BILINEAR": behind(layers.UpSampling2D(2, interpolation="bilinear")),
    "RESIZE_BILINEAR-odd": behind(layers.Resizing(13, 7)),
    "RESIZE_NEAREST_NEIGHBOR": behind(layers.Resizing(13, 7, interpolation="nearest")),
    "BATCH_MATMUL": two(lambda a, b: tf.matmul(rows(a), rows(b), transpose_b=True)),
    "BATCH_MATMUL-plain": two(lambda a, b: tf.matmul(a, tf.transpose(b, [0, 1, 3, 2]))),
    "BATCH_MATMUL-first": two(lambda a, b: tf.matmul(rows(a), rows(b), transpose_a=True)),
    "BATCH_MATMUL-constant": behind(conv(), lambda x: tf.matmul(rows(x), drawn(1, 6, 8))),
    "BATCH_MATMUL-left": behind(conv(), lambda x: tf.matmul(drawn(1, 8, 90), rows(x))),
    "BATCH_MATMUL-broadcast": two(lambda a, b: tf.matmul(a, tf.reduce_mean(b, 1, True), transpose_b=True)),
    "BATCH_MATMUL-deep": two(lambda a, b: tf.matmul(deep_rows(a), deep_rows(b), transpose_b=True)),
    "SQUARED_DIFFERENCE-constant": behind(conv(), lambda x: tf.math.squared_difference(x, drawn(6))),
    "SQUARED_DIFFERENCE": two(tf.math.squared_difference),
    "SQUARED_DIFFERENCE-mean": behind(conv(), lambda x: tf.math.squared_difference(x, tf.reduce_mean(x, [1, 2], True))),
    "LOG_SOFTMAX": behind(layers.Flatten(), layers.Dense(10), tf.nn.log_softmax),
    "LOG_SOFTMAX-100": behind(layers.Flatten(), layers.Dense(100), tf.nn.log_softmax),
    "PAD": behind(layers.ZeroPadding2D(((1, 2), (0, 1)))),
    "MIRROR_PAD": behind(lambda x: tf.pad(x, [[0, 0], [1, 1], [2, 2], [0, 0]], "REFLECT")),
    "STRIDED_SLICE": behind(lambda x: x[:, 1:7:2, :, 1:4]),
    "TRANSPOSE": behind(layers.Permute((3, 1, 2))),
    "SPLIT": behind(lambda x: tf.concat(tf.split(x, 2, 3)[::-1], 3)),
    "RESHAPE": behind(layers.Reshape((10, 54))),
    "GATHER": behind(lambda x: tf.gather(x, [0, 3, 3, 1], axis=3)),
    "PACK": behind(lambda x: tf.stack([x, x], 1)),
    "DEPTH_TO_SPACE": behind(layers.Conv2D(8, 1), lambda x: tf.nn.depth_to_space(x, 2)),
    "SPACE_TO_DEPTH": behind(layers.Cropping2D(((0, 1), (0, 0))), lambda x: tf.nn.space_to_depth(x, 2)),
    "SPACE_TO_BATCH_ND": behind(layers.Conv2D(8, 3, dilation_rate=2, padding="same")),
    "TILE": behind(layers.UpSampling2D(2)),
}
"""By the operator that each is about, with a word behind a hyphen where there are several."""
OTHERS = {"deep": deep, "float": behind(conv()), "unknown": behind(lambda x: tf.math.l2_normalize(x, 3))}
"""A whole net, what has no integer arithmetic, and what is not said exactly."""

FIXED = ("TRANSPOSE_CONV-fixed",)
"""Those whose batch is one, without which XNNPACK does not take them."""


SIXTEEN = (
    "ABS", "ADD", "ADD-constant", "ADD-mean", "ADD-relu", "ADD-scalar", "AVERAGE_POOL_2D", "AVERAGE_POOL_2D-same", "BATCH_MATMUL", "BATCH_MATMUL-first", "CONCATENATION",
    "CONV_2D", "CONV_2D-groups", "CONV_2D-relu", "CONV_2D-relu6", "CONV_2D-wide", "DEPTHWISE_CONV_2D", "DEPTHWISE_CONV_2D-2", "EXP", "FULLY_CONNECTED",
    "FULLY_CONNECTED-rows", "GATHER", "GELU", "LEAKY_RELU", "LOGISTIC", "MAXIMUM", "MAX_POOL_2D", "MEAN", "MEAN-channels", "MEAN-kept", "MINIMUM", "MUL", "MUL-mean",
    "PACK", "PAD", "RELU", "RELU6", "RESHAPE", "SOFTMAX", "SOFTMAX-100", "SPLIT", "STRIDED_SLICE", "SUB", "SUB-constant", "TANH", "TILE", "TRANSPOSE",
)  # fmt: skip
"""Those of the nets that are said in 16 bits too."""
_INTEGERS = tf.lite.OpsSet.TFLITE_BUILTINS_INT8
_WORDS = tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8


def main(folder, names, sixteen):
    for number, (name, net) in enumerate((NETS | OTHERS).items()):
        if name not in (names or (SIXTEEN if sixteen else NETS)):
            continue
        keras.utils.set_random_seed(number)
        random = np.random.default_rng(number)
        x = keras.Input(IMAGE, batch_size=1 if name in FIXED else None)
        model = keras.Model(x, net(x))
        for weight in model.weights:
            if len(weight.shape) == 1:
                weight.assign(random.normal(0, 0.3, weight.shape))
        inputs = random.normal(0.2, 1, (64, *IMAGE)).astype("float32")
        converter = tf.lite.TFLiteConverter.from_keras_model(model)
        if name != "float":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = lambda inputs=inputs: ([one[None]] for one in inputs)
            converter.target_spec.supported_ops = [_WORDS if sixteen else _INTEGERS]
            converter.inference_input_type = converter.inference_output_type = tf.int16 if sixteen else tf.int8
        (folder / f"{name}.tflite").write_bytes(converter.convert())


if __name__ == "__main__":
    words = [word for word in sys.argv[2:] if word != "--sixteen"]
    main(Path(sys.argv[1]), words, "--sixteen" in sys.argv)
