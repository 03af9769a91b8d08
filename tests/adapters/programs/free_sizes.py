"""Models whose height and width are free, in a folder: `free_sizes.py FOLDER`."""

import pathlib
import sys

import keras
import tensorflow as tf

folder = pathlib.Path(sys.argv[1])
image = keras.Input((None, None, 3), name="image")
pooled = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(2, 3)(image))
model = keras.Model(image, pooled)
model.save(folder / "free.keras")
model.export(str(folder / "free_saved"), verbose=False)
converter = tf.lite.TFLiteConverter.from_saved_model(str(folder / "free_saved"))
(folder / "free.tflite").write_bytes(converter.convert())
