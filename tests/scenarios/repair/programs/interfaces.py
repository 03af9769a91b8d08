"""Targets of other input sizes and with more outputs: `interfaces.py FOLDER`."""

import sys
from pathlib import Path

import keras
import tensorflow as tf

out = sys.argv[1]

keras.utils.set_random_seed(0)
L = keras.layers


def net(size):
    x = keras.Input((size, size, 3), name="image")
    y = L.Conv2D(4, 3, activation="relu", name="conv")(x)
    z = L.Dense(5, name="head")(L.GlobalAveragePooling2D(name="pool")(y))
    return keras.Model(x, z), y


small, hidden = net(8)
large, _ = net(12)
large.set_weights(small.get_weights())
small.save(out + "/small.keras")
Path(out + "/large.tflite").write_bytes(tf.lite.TFLiteConverter.from_keras_model(large).convert())
keras.Model(small.input, [hidden, small.output]).save(out + "/more.keras")
large.layers[1].bias.assign([0.5, 0.0, 0.0, 0.0])
large.save(out + "/large_wrong.keras")
