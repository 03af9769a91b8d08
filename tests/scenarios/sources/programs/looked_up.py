"""A Keras model that begins with a table of ids: `python looked_up.py FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path

import keras
from keras import layers

keras.utils.set_random_seed(0)
keras.Sequential([
    keras.Input((4,), dtype="int64", name="ids"), layers.IntegerLookup(vocabulary=[3, 5, 8], name="lookup"),
    layers.Embedding(6, 4, name="table"), layers.Flatten(), layers.Dense(2),
]).save(Path(sys.argv[1]) / "net.keras")  # fmt: skip
