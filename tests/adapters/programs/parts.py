"""Cuts of a Keras file, a SavedModel and a TFLite file, each compared with what the whole model gives at the same place.

`python parts.py FOLDER`; the last line printed is JSON.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from adapters.keras import adapter as keras_adapter
from adapters.tf import adapter as tf_adapter
from adapters.tflite import adapter as tflite_adapter
from adapters.tflite import precision
from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.errors import UnusableInput

layers = keras.layers
folder = Path(sys.argv[1])
found: dict[str, Any] = {}


def request(name: str) -> dict[str, Any]:
    return ModelRequest(str(folder / name)).to_json()


def refused(key: str, call: Callable[[], object]) -> None:
    try:
        call()
    except UnusableInput as error:
        found[key] = f"{error.message} | {error.advice}"


def near(one: Any, two: Any) -> bool:
    return bool(np.allclose(one, two, atol=1e-5))


keras.utils.set_random_seed(0)
raw, side = keras.Input((6,), dtype="int64", name="raw"), keras.Input((3,), name="side")
ids = layers.IntegerLookup(vocabulary=[3, 5, 8, 9], name="lookup")(raw)
state = layers.LSTM(5, name="lstm")(layers.Embedding(8, 4, name="embedding")(ids))
joined = layers.Concatenate(name="joined")([state, side])
hidden = layers.Dense(4, name="hidden", activation="relu")(joined)
net = keras.Model([raw, side], [layers.Dense(2, name="scores")(hidden), hidden])
net.save(folder / "net.keras")
net.export(folder / "net_saved", verbose=False)
given = np.array([[3, 5, 8, 9, 1, 3], [9, 9, 3, 5, 5, 0]]), np.array([[1, 2, 3], [0, -1, 4]], np.float32)
wanted = [np.asarray(one) for one in net(list(given))]
looked_up = np.asarray(net.get_layer("lookup")(given[0]))

found["host"] = keras_adapter.host_code(request("net.keras"))
found["keras"] = keras_adapter.cut(request("net.keras"), ["embedding"], ["scores"], str(folder / "part.keras"))
part = keras_adapter.load(request("part.keras"))
found["keras inputs"] = [spec.name for spec in part.signature().inputs]
got = part.predict({"lookup_output": looked_up, "side": given[1]})
found["keras equal"] = near(next(iter(got.values())), wanted[0])
refused("no layer", lambda: keras_adapter.cut(request("net.keras"), ["embeding"], [], str(folder / "none.keras")))

texts = keras.Sequential([
    keras.Input((1,), dtype="string"), layers.TextVectorization(vocabulary=["a", "b"], output_sequence_length=4, name="words"),
    layers.Embedding(5, 3, mask_zero=True, name="table"), layers.GRU(3, name="gru"), layers.Dense(1),
])  # fmt: skip
texts.save(folder / "texts.keras")
texts.export(folder / "texts_saved", verbose=False)
refused("strings", lambda: keras_adapter.load(request("texts.keras")))
refused("mask", lambda: keras_adapter.cut(request("texts.keras"), ["gru"], [], str(folder / "none.keras")))
refused("saved strings", lambda: tf_adapter.load(request("texts_saved")))
found["texts"] = keras_adapter.cut(request("texts.keras"), ["table"], [], str(folder / "texts_part.keras"))

found["saved host"] = tf_adapter.host_code(request("net_saved"))
(begin,) = found["saved host"]["begin"]
found["saved"] = tf_adapter.cut(request("net_saved"), [begin], [], str(folder / "part.pb"))
frozen = tf_adapter.load(request("part.pb"))
found["saved outputs"] = [spec.name for spec in frozen.signature().outputs]
feeds = {
    spec.name: given[1] if spec.name == "side" else looked_up.astype(spec.dtype) for spec in frozen.signature().inputs
}
found["saved equal"] = [near(one, two) for one, two in zip(frozen.predict(feeds).values(), wanted, strict=True)]

image = keras.Sequential([
    keras.Input((8, 8, 3)), layers.Conv2D(4, 3, activation="relu"), layers.MaxPooling2D(), layers.Flatten(), layers.Dense(3),
])  # fmt: skip
(folder / "image.tflite").write_bytes(tf.lite.TFLiteConverter.from_keras_model(image).convert())

graph = precision.read(str(folder / "image.tflite")).subgraphs[0]
pooled = graph.tensors[int(graph.operators[1].outputs[0])].name.decode()
found["lite"] = tflite_adapter.cut(request("image.tflite"), [pooled], [], str(folder / "tail.tflite"))
tflite_adapter.cut(request("image.tflite"), [], [pooled], str(folder / "head.tflite"))
pixels = np.random.default_rng(0).normal(size=(1, 8, 8, 3)).astype(np.float32)
head, tail, whole = (tflite_adapter.load(request(name)) for name in ("head.tflite", "tail.tflite", "image.tflite"))
middle = next(iter(head.predict({head.signature().inputs[0].name: pixels}).values()))
last = next(iter(tail.predict({tail.signature().inputs[0].name: middle}).values()))
found["lite equal"] = near(last, next(iter(whole.predict({whole.signature().inputs[0].name: pixels}).values())))
refused("no tensor", lambda: tflite_adapter.cut(request("image.tflite"), ["pooled"], [], str(folder / "none.tflite")))
print(json.dumps(found))
