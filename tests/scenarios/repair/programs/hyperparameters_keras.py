"""Targets with wrong hyperparameters, in Keras and TFLite: `hyperparameters_keras.py FOLDER`."""

import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

out = sys.argv[1]

keras.utils.set_random_seed(0)
L = keras.layers


def keras_net(slopes=(0.3, 0.3), dilation=1, epsilon=1e-3):
    x = keras.Input((12, 12, 3), name="image")
    y = L.LeakyReLU(slopes[0])(L.Conv2D(6, 3, name="first")(x))
    y = L.BatchNormalization(epsilon=epsilon, name="norm")(L.AveragePooling2D(2)(y))
    y = L.LeakyReLU(slopes[1])(L.Conv2D(4, 3, padding="same", dilation_rate=dilation, name="second")(y))
    return keras.Model(x, L.Dense(5, name="head")(L.Flatten()(y)))


right = keras_net()
right.get_layer("norm").set_weights(
    [
        np.array(v, "float32")
        for v in (
            [1.5, 0.5, 1, 1, 2, 1],
            [0, 0.1, 0, 0, 0.2, 0],
            [0.1, 0, 0.2, 0, 0.1, 0],
            [0.02, 0.1, 0.05, 0.2, 0.1, 0.1],
        )
    ]
)
right.save(out + "/right.keras")


def keep(name, **wrong):
    model = keras_net(**wrong)
    model.set_weights(right.get_weights())
    model.save(out + f"/{name}.keras")
    Path(out + f"/{name}.tflite").write_bytes(tf.lite.TFLiteConverter.from_keras_model(model).convert())


keep("slope", slopes=(0.3, 0.1))
keep("dilation", dilation=2)
keep("both", slopes=(0.2, 0.3), dilation=2)
