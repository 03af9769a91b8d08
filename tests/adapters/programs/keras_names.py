"""Graphs by the last resort for Keras, to a file and a SavedModel: `keras_names.py FOLDER FILE…`; what each model's and each signature's ends are called."""

import json
import sys
from pathlib import Path

import keras
import tensorflow as tf

from safeconvert.adapter_api.protocol import ConvertRequest, ModelRequest
from safeconvert.core.resources import data_folder
from safeconvert.workers._worker import load_adapter

folder, adapters = Path(sys.argv[1]), Path(data_folder("adapters"))


def step(adapter, source, target):
    request = ConvertRequest(ModelRequest(str(source)), str(target))
    load_adapter(str(adapters / adapter)).convert(request.to_json())


for file in map(Path, sys.argv[2:]):
    to_keras, to_saved = folder / f"{file.stem}.keras", folder / f"{file.stem}_saved_model"
    step("keras_ops", file, to_keras)
    step("keras_export", to_keras, to_saved)
    model = keras.models.load_model(to_keras)
    signature = tf.saved_model.load(str(to_saved)).signatures["serving_default"]
    ends = [tensor.name for tensor in model.inputs], model.output_names
    print(json.dumps([*ends, sorted(signature.structured_outputs)]))
