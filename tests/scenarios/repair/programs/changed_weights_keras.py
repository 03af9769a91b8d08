"""A Keras model with one weight changed, also as SavedModel and TFLite: `changed_weights_keras.py MODELS FOLDER`."""

import sys

import keras
import numpy as np
import tensorflow as tf

whole, out = sys.argv[1:3]

model = keras.models.load_model(whole + "/model.keras")
kernel = model.layers[0].kernel
value = np.asarray(kernel).copy()
value[0, 0, 0, 1] += 0.7
kernel.assign(value)
model.save(out + "/wrong.keras")
model.export(out + "/wrong_saved_model", verbose=False)
with open(out + "/wrong.tflite", "wb") as file:
    file.write(tf.lite.TFLiteConverter.from_keras_model(model).convert())
