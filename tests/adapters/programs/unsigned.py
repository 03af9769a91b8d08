"""Graphs of one operator on uint64 by the last resort for Keras, against numpy on numbers of all 64 bits: `unsigned.py FOLDER FILE…`.

Prints the names of the files, of which the Keras model, read from its file, gives what numpy does; then those of which the TFLite file does.
"""

import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from safeconvert.adapter_api.protocol import ConvertRequest, ModelRequest
from safeconvert.core.resources import data_folder
from safeconvert.workers._worker import load_adapter

folder, adapters = Path(sys.argv[1]), Path(data_folder("adapters"))
WANTED = {
    "Add": np.add, "Sub": np.subtract, "Mul": np.multiply, "Div": np.floor_divide, "Mod": np.mod, "Max": np.maximum, "Min": np.minimum,
    "Less": np.less, "GreaterOrEqual": np.greater_equal, "Equal": np.equal, "BitwiseXor": np.bitwise_xor,
    "BitwiseAnd": lambda x, _: x & np.uint64(255), "Concat": lambda x, y: np.concatenate([x, y], axis=1),
    "ReduceProd": lambda x, _: np.prod(x, axis=1, keepdims=True, dtype=np.uint64),
}  # fmt: skip
IN_TFLITE = {"Add", "Mul", "Max", "Less"}
random = np.random.default_rng(0)
x, y = (random.integers(1, 2**64, size=(4, 64), dtype=np.uint64, endpoint=False) for _ in range(2))
y[:, ::2] >>= np.uint64(40)
y[:, ::7] = x[:, ::7]


def made(adapter, source, target):
    load_adapter(str(adapters / adapter)).convert(ConvertRequest(ModelRequest(str(source)), str(target)).to_json())
    return target


right, lite = [], []
for file in map(Path, sys.argv[2:]):
    name = file.stem
    path = made("keras_ops", file, folder / f"{name}.keras")
    wanted = WANTED[name](x, y)
    model = keras.models.load_model(path)
    same = model.outputs[0].dtype == wanted.dtype.name and np.array_equal(model([x, y]).numpy(), wanted)
    right += [name] if same else []
    if name in IN_TFLITE:
        runner = tf.lite.Interpreter(
            str(made("tflite_converter", path, folder / f"{name}.tflite"))
        ).get_signature_runner()
        found = [runner(x=x[row : row + 1], y=y[row : row + 1])["z"] for row in range(len(x))]
        lite += [name] if np.array_equal(np.concatenate(found), wanted) else []
print(*right)
print(*lite)
