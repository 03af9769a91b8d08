"""A net of Dense layers, one of which loses much in eight bits: `wide_layers.py FILE`."""

import sys

import keras

keras.utils.set_random_seed(1)
L = keras.layers
x = keras.Input((16,))
y = x
for width in (64, 64, 64):
    y = L.Dense(width, activation="relu")(y)
model = keras.Model(x, L.Dense(10)(y))
# one layer whose weights lose much in eight bits: a few are far larger than the rest
kernel, bias = model.layers[2].get_weights()
kernel[0] *= 300
model.layers[2].set_weights([kernel, bias])
model.save(sys.argv[1])
