"""A net with both forms of Gelu as SavedModel and TFLite: `gelus.py FOLDER FILE`."""

import sys
from pathlib import Path

import keras
import tensorflow

keras.utils.set_random_seed(0)
x = keras.Input((6,))
y = keras.layers.Dense(5, activation="gelu")(x)
y = keras.layers.Dense(4)(keras.layers.Lambda(lambda v: keras.activations.gelu(v, approximate=True))(y))
model = keras.Model(x, y)
model.export(sys.argv[1], verbose=False)
Path(sys.argv[2]).write_bytes(tensorflow.lite.TFLiteConverter.from_keras_model(model).convert())
assert "GELU" in [one["op_name"] for one in tensorflow.lite.Interpreter(sys.argv[2])._get_ops_details()]
