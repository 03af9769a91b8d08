"""The long division of int64 on numbers of every size, and a Keras model with it in TFLite; the last line printed is JSON."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import keras
import numpy as np
from keras import ops

from adapters._shared.keras_for_tflite import _floor_division, spelled_out
from adapters.tflite import adapter as tflite
from adapters.tflite_converter import adapter as converter
from safeconvert.adapter_api.protocol import ConvertRequest, ModelRequest

random = np.random.default_rng(0)
sizes = random.integers(1, 62, 4000)
x = random.integers(0, 2, 4000) * 2 - 1
x = x * (random.integers(0, 2**62, 4000) >> sizes[::-1])
y = (random.integers(0, 2, 4000) * 2 - 1) * np.maximum(random.integers(0, 2**62, 4000) >> sizes, 1)
edges = np.array([0, 1, -1, 2, 7, -7, 2**31, 2**53 + 1, 2**62, 2**63 - 1, -(2**63) + 1])
x, y = np.concatenate([x, np.repeat(edges, 10)]), np.concatenate([y, np.tile(edges[1:], 11)])
y[y == 0] = 3
wrong = int((np.asarray(_floor_division(ops.convert_to_tensor(x), ops.convert_to_tensor(y))) != x // y).sum())

one, two = (keras.Input((4,), dtype="int64", name=name) for name in ("one", "two"))
model = keras.Model([one, two], [ops.floor_divide(one, two), ops.mod(one, two)])
folder = Path(tempfile.mkdtemp())
model.save(folder / "net.keras")
request = ModelRequest(str(folder / "net.keras"))
reply = converter.convert(ConvertRequest(request, str(folder / "net.tflite")).to_json())
lite = tflite.load(ModelRequest(str(folder / "net.tflite")).to_json())
given = {"one": np.array([[7, -7, 2**60 + 1, 5]]), "two": np.array([[2, 2, -3, 9]])}
given_out = lite.predict(given)
remainder = given_out.pop("mod")
(quotient,) = given_out.values()
plain = keras.Model(one, ops.add(one, one))
print(json.dumps({
    "wrong": wrong, "numbers": len(x), "notes": reply["notes"], "untouched": list(spelled_out(plain)[1]),
    "quotient": (quotient == given["one"] // given["two"]).all().item(),
    "remainder": (remainder == given["one"] % given["two"]).all().item(),
}))  # fmt: skip
