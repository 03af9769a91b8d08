"""A net over tokens: `tokens.py FOLDER` writes `tokens.keras` and `inputs.npy`."""

import sys
from pathlib import Path

import keras
import numpy as np

folder = Path(sys.argv[1])
keras.utils.set_random_seed(0)
given = keras.Input((8,), dtype="int32")
x = keras.layers.Embedding(20, 8)(given)
x = keras.layers.Dense(16, activation="relu")(x)
x = keras.layers.GlobalAveragePooling1D()(x)
keras.Model(given, keras.layers.Dense(4)(x)).save(folder / "tokens.keras")
np.save(folder / "inputs.npy", np.random.default_rng(0).integers(0, 20, (240, 8)).astype(np.int32))
