"""Recurrent Keras models: `python recurrent.py FOLDER`."""

import sys
from pathlib import Path

import keras
from keras import layers

keras.utils.set_random_seed(1)
words = keras.Input((5,), dtype="int32")
states = layers.Embedding(11, 4, mask_zero=True, embeddings_initializer="normal")(words)
states = layers.Bidirectional(layers.LSTM(3, return_sequences=True))(states)
keras.Model(words, layers.Dense(2)(layers.GRU(3)(states))).save(Path(sys.argv[1]) / "masked.keras")
