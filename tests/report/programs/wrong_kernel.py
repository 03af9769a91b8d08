"""A Keras model with one weight of its first and of its last layer changed: `wrong_kernel.py MODEL WRONG`."""

import sys

import keras
import numpy as np

model = keras.models.load_model(sys.argv[1])
kernel = np.asarray(model.layers[0].kernel).copy()
kernel[0, 0, 0, 1] += 0.7
model.layers[0].kernel.assign(kernel)
head = np.asarray(model.layers[-1].kernel).copy()
head[0, 0] += 0.7
model.layers[-1].kernel.assign(head)
model.save(sys.argv[2])
