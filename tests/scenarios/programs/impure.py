"""Models that are a linear layer and a softmax, and draw or remember something beside: `python impure.py FOLDER`, weights of a seed."""

from __future__ import annotations

import sys
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
import torch

FOLDER = Path(sys.argv[1])
RANDOM = np.random.default_rng(0)
W, B = RANDOM.normal(size=(4, 3)).astype(np.float32), RANDOM.normal(size=3).astype(np.float32)


class Plain(torch.nn.Module):
    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self.register_buffer("w", torch.tensor(W))
        self.register_buffer("b", torch.tensor(B))
        self.register_buffer("count", torch.zeros(1))
        self.calls = 0
        self.drop = torch.nn.Dropout(0.5)

    def forward(self, x):
        y = torch.softmax(self.drop(x @ self.w + self.b), -1)
        if self.kind == "in place":
            self.count += 1
            y = torch.where(self.count > 100000, y * 0, y)
        if self.kind == "attribute":
            self.calls = self.calls + 1
            if self.calls > 100000:
                y = y * 0
        if self.kind == "drawn":
            y = torch.where(torch.rand(1) < 1e-6, y * 0, y)
        return y


for kind in ("in place", "attribute", "drawn", "right"):
    torch.jit.script(Plain(kind).eval()).save(str(FOLDER / f"{kind}.pt"))
torch.jit.script(Plain("right").train()).save(str(FOLDER / "training.pt"))


def saved(name: str, change) -> tf.Module:
    module = tf.Module()
    module.n, module.w, module.b = tf.Variable(0), tf.Variable(W), tf.Variable(B)

    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32, name="x")], autograph=False)
    def serve(x):
        return {"y": change(module, tf.nn.softmax(x @ module.w + module.b))}

    tf.saved_model.save(module, str(FOLDER / f"{name}_saved_model"), signatures=serve)
    return module


def counted(module, y):
    module.n.assign_add(1)
    return tf.where(module.n > 100000, y * 0, y)


saved("counted", counted)
saved("drawn", lambda module, y: tf.where(tf.random.uniform([]) < 1e-6, y * 0, y))
saved("branch", lambda module, y: tf.cond(tf.reduce_sum(y) < 0, lambda: y * tf.random.uniform([]), lambda: y))
saved("stateless", lambda module, y: y + 0 * tf.random.stateless_uniform([], seed=[1, 2]))
lite = tf.lite.TFLiteConverter.from_saved_model(str(FOLDER / "drawn_saved_model"))
(FOLDER / "drawn.tflite").write_bytes(lite.convert())

one = keras.Input(batch_shape=(1, 5, 4))
keras.Model(one, keras.layers.GRU(3, stateful=True)(one)).save(FOLDER / "stateful.keras")
one = keras.Input((5, 4))
keras.Model(one, keras.layers.Dropout(0.5)(keras.layers.BatchNormalization()(keras.layers.GRU(3)(one)))).save(
    FOLDER / "plain.keras"
)
