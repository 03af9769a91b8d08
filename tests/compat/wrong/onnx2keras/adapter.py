"""onnx2keras, and then one weight of many is another."""

import keras

from .._real import real


def convert(request):
    reply = real("onnx2keras").convert(request)
    model = keras.models.load_model(request["target"])
    values = model.get_weights()
    values[0].flat[0] += 0.5
    model.set_weights(values)
    model.save(request["target"])
    return reply
