"""Answers with the converted model of another function: everything doubled."""

import keras

from .._real import real


def convert(request):
    model = keras.models.load_model(request["model"]["path"])
    path = request["target"] + ".doubled.keras"
    keras.Model(model.inputs, [output * 2 for output in model.outputs]).save(path)
    return real("tflite_converter").convert({**request, "model": {**request["model"], "path": path}})
