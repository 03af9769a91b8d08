"""A net with more weights than ai-edge-quantizer leaves in the flatbuffer, one layer in float: `large_recipe.py FOLDER`. Prints how far it is off."""

import json
import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from adapters.tflite import recipes
from adapters.tflite.runtime import interpreter
from adapters.tflite_converter import quantize

folder = Path(sys.argv[1])
keras.utils.set_random_seed(0)
model = keras.Sequential([keras.Input((600,)), keras.layers.Dense(600, "relu"), keras.layers.Dense(10)])
inputs = np.random.default_rng(0).normal(size=(40, 600)).astype(np.float32)
np.save(folder / "inputs.npy", inputs)
(folder / "float.tflite").write_bytes(tf.lite.TFLiteConverter.from_keras_model(model).convert())
calibrated, target = str(folder / "calibrated.tflite"), folder / "made.tflite"
quantize.calibrate(str(folder / "float.tflite"), [[str(folder / "inputs.npy")]], False, calibrated)
names = [one["name"] for one in quantize.operators(calibrated)]
answer = recipes.quantize(calibrated, {"dynamic": names[1:]}, "float32", str(target))
run = interpreter(target.read_bytes())
run.allocate_tensors()
run.set_tensor(run.get_input_details()[0]["index"], inputs[:1])
run.invoke()
found, wanted = run.get_tensor(run.get_output_details()[0]["index"]), np.asarray(model(inputs[:1]))
print(
    json.dumps(
        {"off": float(np.abs(found - wanted).max()), "size": float(np.abs(wanted).max()), "float": len(answer["float"])}
    )
)
