"""A small model in every form of TensorFlow: `forms_keras.py FOLDER`."""

import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

folder = Path(sys.argv[1])
keras.utils.set_random_seed(3)
model = keras.Sequential(
    [
        keras.Input((8, 8, 3)),
        keras.layers.Conv2D(4, 3, activation="relu"),
        keras.layers.Flatten(),
        keras.layers.Dense(5),
    ]
)
model.save(folder / "model.keras")
model.save(folder / "model.h5")
model.export(str(folder / "saved"), verbose=False)
(folder / "model.tflite").write_bytes(tf.lite.TFLiteConverter.from_keras_model(model).convert())
converter = tf.lite.TFLiteConverter.from_keras_model(model)
converter.optimizations = [tf.lite.Optimize.DEFAULT]
converter.representative_dataset = lambda: (
    [np.random.default_rng(n).normal(size=(1, 8, 8, 3)).astype("float32")] for n in range(20)
)
converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
converter.inference_input_type = converter.inference_output_type = tf.int8
(folder / "int8.tflite").write_bytes(converter.convert())

frozen = convert_variables_to_constants_v2(
    tf.function(model).get_concrete_function(tf.TensorSpec((None, 8, 8, 3), tf.float32))
)
(folder / "frozen.pb").write_bytes(frozen.graph.as_graph_def().SerializeToString())
