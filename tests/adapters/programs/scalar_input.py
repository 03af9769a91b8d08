"""Exports a Keras model that is fed a number beside a vector as a SavedModel, and runs it: `scalar_input.py FOLDER`."""

import sys
from pathlib import Path

import keras
import tensorflow as tf

from safeconvert.adapter_api.protocol import ConvertRequest, ModelRequest
from safeconvert.core.resources import data_folder
from safeconvert.workers._worker import load_adapter

folder, adapters = Path(sys.argv[1]), Path(data_folder("adapters"))
x, most = keras.Input((3,), name="x"), keras.Input(batch_shape=(), name="most")
keras.Model([x, most], keras.layers.Identity(name="y")(keras.ops.minimum(x, most))).save(folder / "net.keras")
step = ConvertRequest(ModelRequest(str(folder / "net.keras")), str(folder / "net_saved_model"))
load_adapter(str(adapters / "keras_export")).convert(step.to_json())
serve = tf.saved_model.load(str(folder / "net_saved_model")).signatures["serving_default"]
print({name: spec.shape.as_list() for name, spec in sorted(serve.structured_input_signature[1].items())})
(y,) = serve(x=tf.constant([[1.0, 2.0, 3.0], [4.0, 5.0, 1.0]]), most=tf.constant(2.5)).values()
print(y.numpy().tolist())
