"""A net with grouped convolutions, which XLA compiles: `compiled_convolution.py FILE`."""

import sys

import keras

keras.utils.set_random_seed(0)
x = keras.Input((8, 8, 6))
y = keras.layers.Conv2D(6, 3, padding="same", groups=6)(x)
y = keras.layers.Activation("gelu")(y)
y = keras.layers.Conv2D(9, 3, strides=2, groups=3)(y)
keras.Model(x, keras.layers.Dense(4)(keras.layers.GlobalAveragePooling2D()(y))).save(sys.argv[1])
