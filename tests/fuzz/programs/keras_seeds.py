"""Small Keras archives, HDF5 files, SavedModels, frozen graphs and TFLite files: `keras_seeds.py FOLDER`."""

import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

folder = Path(sys.argv[1])
keras.utils.set_random_seed(3)

x = keras.Input((4, 4, 2), name="x")
y = keras.layers.Conv2D(2, 3, activation="gelu", kernel_regularizer="l2", name="conv")(x)
y = keras.layers.Flatten(name="flatten")(y)
model = keras.Model(x, keras.layers.Dense(3, activation="softmax", name="head")(y))
small = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="relu")])
for name, one in (("functional", model), ("sequential", small)):
    one.save(folder / f"{name}.keras")
    one.save(folder / f"{name}.h5")


class Branches(tf.Module):
    """A branch, a loop and a variable."""

    def __init__(self) -> None:
        self.weight = tf.Variable(np.ones((4, 2), np.float32))

    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32, name="x")])
    def __call__(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        """Twice x or its negative, times a matrix; and a count."""
        y = tf.cond(tf.reduce_sum(x) > 0, lambda: x * 2, lambda: -x)
        return {
            "y": tf.matmul(y, self.weight),
            "n": tf.while_loop(lambda i: i < 3, lambda i: i + 1, [tf.constant(0)])[0],
        }


module = Branches()
tf.saved_model.save(module, str(folder / "branches"), signatures=module.__call__)


class Plain(tf.Module):
    """A matrix and an activation."""

    def __init__(self) -> None:
        self.weight = tf.Variable(np.eye(4, 2, dtype=np.float32))

    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32, name="x")])
    def __call__(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        """Softmax of x times the matrix."""
        return {"y": tf.nn.softmax(tf.matmul(x, self.weight))}


plain = Plain()
tf.saved_model.save(plain, str(folder / "plain"), signatures=plain.__call__)
frozen = convert_variables_to_constants_v2(
    tf.function(small).get_concrete_function(tf.TensorSpec((None, 4), tf.float32, name="x")), lower_control_flow=False
)
(folder / "frozen.pb").write_bytes(frozen.graph.as_graph_def().SerializeToString())

(folder / "float.tflite").write_bytes(tf.lite.TFLiteConverter.from_keras_model(small).convert())
converter = tf.lite.TFLiteConverter.from_keras_model(model)
converter.optimizations = [tf.lite.Optimize.DEFAULT]
converter.representative_dataset = lambda: (
    [np.random.default_rng(n).normal(size=(1, 4, 4, 2)).astype("float32")] for n in range(8)
)
converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
converter.inference_input_type = converter.inference_output_type = tf.int8
(folder / "int8.tflite").write_bytes(converter.convert())
