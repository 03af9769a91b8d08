"""Prints, as JSON, how often a Keras model is traced for calls of 4, 3 and 1 samples, and how far its outputs are from the layer's own.

`traced.py KNOWS`: whether a layer has to know the number of samples.
"""

import json
import sys
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from adapters.keras.adapter import KerasModel
from safeconvert.adapter_api.protocol import ModelRequest

KNOWS = sys.argv[1] == "True"
traced = []


class Doubled(keras.layers.Layer):
    """2 x; notes when it is traced."""

    def call(self, x: Any) -> Any:
        if tf.is_tensor(x):
            traced.append(x.shape[0])
            if KNOWS and x.shape[0] is None:
                raise ValueError("how many samples?")
        return 2.0 * x

    def compute_output_shape(self, shape: Any) -> Any:
        return shape


inputs = keras.Input((5,))
model = KerasModel(keras.Model(inputs, Doubled()(inputs)), ModelRequest("model.keras"))
traced.clear()
(name,), (out,) = ([spec.name for spec in specs] for specs in (model.signature().inputs, model.signature().outputs))
apart = 0.0
for count in (4,) if KNOWS else (4, 3, 1):
    x = np.arange(5 * count, dtype=np.float32).reshape(count, 5)
    apart = max(apart, float(np.abs(model.predict({name: x})[out] - 2 * x).max()))
print(json.dumps({"traced": traced, "apart": apart}))
