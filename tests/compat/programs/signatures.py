"""The signatures of the installed libraries, as JSON: `signatures.py CHECKOUT`."""

import argparse
import contextlib
import inspect
import json
import sys

import numpy as np

np.object = object
sys.path.insert(0, sys.argv[1])
from adapters._shared.torch_files import declare_torchvision_operators

declare_torchvision_operators()
import keras
import onnx2keras
import onnx2torch
import onnxmltools
import tensorflow as tf
import tf2onnx.convert
import torch

converter = tf.lite.TFLiteConverter
functions = {
    "onnx2torch.convert": onnx2torch.convert,
    "onnx2keras.onnx_to_keras": onnx2keras.onnx_to_keras,
    "onnxmltools.convert_keras": onnxmltools.convert_keras,
    "torch_onnx.export": torch.onnx.export,
    "tf2onnx.convert.from_keras": tf2onnx.convert.from_keras,
    "tf2onnx.convert.from_function": tf2onnx.convert.from_function,
    "tf2onnx.convert.from_graph_def": tf2onnx.convert.from_graph_def,
    "tf2onnx.convert.from_tflite": tf2onnx.convert.from_tflite,
    "tflite.TFLiteConverter.from_keras_model": converter.from_keras_model,
    "tflite.TFLiteConverter.from_saved_model": converter.from_saved_model,
    "tflite.TFLiteConverter.from_concrete_functions": converter.from_concrete_functions,
    "tflite.TFLiteConverter.experimental_from_jax": converter.experimental_from_jax,
    "tflite.TFLiteConverter.convert": converter.convert,
}


def described(function):
    return [
        [p.name, p.kind.name, "" if p.default is p.empty else repr(p.default)]
        for p in inspect.signature(function).parameters.values()
        if p.name != "self"
    ]


parsers = []
argparse.ArgumentParser.parse_args = lambda self, *a: parsers.append(self) or sys.exit(0)
with contextlib.suppress(SystemExit):
    tf2onnx.convert.get_args()
model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
print(
    json.dumps(
        {
            "functions": {name: described(function) for name, function in functions.items()},
            "entries": [name for name in vars(tf2onnx.convert) if name.startswith("from_")],
            "options": {a.dest: [a.option_strings, a.nargs, list(a.choices or [])] for a in parsers[0]._actions},
            "attributes": [name for name in vars(converter.from_keras_model(model)) if not name.startswith("_")],
            "classmethods": [n for n in dir(converter) if not n.startswith("_") and callable(getattr(converter, n))],
        }
    )
)
