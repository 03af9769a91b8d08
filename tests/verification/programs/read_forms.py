"""Keras models of which both files are read, and of which the TFLite file is not: `python read_forms.py FOLDER`."""

import sys
from pathlib import Path

import keras

keras.utils.set_random_seed(0)
folder = Path(sys.argv[1])
image = keras.Input((6, 6, 2), name="image")
taken = keras.layers.Conv2D(3, 3, activation="relu6", bias_initializer="normal")(image)
keras.Model(image, keras.layers.Dense(4)(keras.layers.Flatten()(taken))).save(folder / "plain.keras")
volume = keras.Input((4, 4, 4, 2), name="volume")
keras.Model(volume, keras.layers.Conv3D(3, 2, bias_initializer="normal")(volume)).save(folder / "volumes.keras")
