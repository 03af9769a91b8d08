"""Keras' LSTM, GRU and SimpleRNN, and their both directions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from safeconvert.prove.kernel.terms import Array, Refused
from safeconvert.prove.readers.keras.layer import Layer, Tensor

_ORDER = {"LSTM": (0, 3, 1, 2), "GRU": (0, 1, 2), "SimpleRNN": (0,)}
"""Keras' gates in the order of ONNX: input, output, forget, cell; update, reset, hidden."""


def recurrent(n: Layer) -> Tensor:
    """A layer in one direction."""
    cell = {"SimpleRNN": "RNN"}.get(n.kind, n.kind)
    n.only(stateful=False, return_state=False, activation="tanh", time_major=False)
    if cell != "RNN":
        n.only(recurrent_activation="sigmoid")
    if n.x.rank != 3:
        raise Refused(f"{n.kind}: of other than sequences")
    if len(n.weights) != 2 + bool(n.config.get("use_bias", True)):
        raise Refused(f"{n.kind}: has {len(n.weights)} weights")
    order, units = _ORDER[n.kind], n.weights[1].shape[0]
    kernel, own = (_gates(array.T, order, units) for array in n.weights[:2])
    biases = _biases(n, order, units)
    after = {"linear_before_reset": int(bool(n.config.get("reset_after", True)))} if cell == "GRU" else {}
    back = bool(n.config.get("go_backwards", False))
    steps = n.write("Transpose", n.x.name, perm=[1, 0, 2])
    constants = [n.write.constant(array[None]) for array in (kernel, own, biases)]
    outputs = n.write.several(
        cell, [steps, *constants], 2, hidden_size=units, direction="reverse" if back else "forward", **after
    )
    if not n.config.get("return_sequences", False):
        return Tensor(n.write("Squeeze", outputs[1], n.write.integers(0)), 2)
    made = n.write("Transpose", n.write("Squeeze", outputs[0], n.write.integers(1)), perm=[1, 0, 2])
    return Tensor(_turned(n, made) if back else made, 3)


def bidirectional(n: Layer) -> Tensor:
    """Bidirectional: the layer on the sequence, and on the sequence backwards, whose outputs are turned again."""
    forward, backward = (n.config[side] for side in ("layer", "backward_layer"))
    if n.config.get("merge_mode") != "concat" or forward["class_name"] not in _ORDER:
        raise Refused("Bidirectional: not of a recurrent layer, or not concatenated")
    for side in (forward, backward):
        own = side.get("module", "keras.layers"), side.get("registered_name") or side["class_name"]
        if own != ("keras.layers", forward["class_name"]):
            raise Refused(f"Bidirectional: of {'.'.join(own)}")
    half = len(n.weights) // 2
    made = []
    for side, weights in ((forward, n.weights[:half]), (backward, n.weights[half:])):
        made.append(recurrent(replace(n, kind=side["class_name"], config=side["config"], weights=weights)))
    if forward["config"].get("go_backwards") or not backward["config"].get("go_backwards"):
        raise Refused("Bidirectional: both in one direction")
    if made[1].rank == 3:
        made[1] = Tensor(_turned(n, made[1].name), 3)
    return Tensor(n.write("Concat", *(tensor.name for tensor in made), axis=-1), made[0].rank)


def _turned(n: Layer, tensor: str) -> str:
    """A sequence from its end to its beginning."""
    lists = ([-1], [-(2**62)], [1], [-1])
    return n.write("Slice", tensor, *(n.write.integers(*numbers) for numbers in lists))


def _gates(array: Array, order: Sequence[int], units: int) -> Array:
    """Rows of weights or biases, gate after gate in another order."""
    parts = array.reshape(len(order), units, *array.shape[1:])
    return np.asarray(parts[list(order)].reshape(array.shape))


def _biases(n: Layer, order: Sequence[int], units: int) -> Array:
    """Biases of the input and of the state; Keras has both for a GRU that resets after the product, else one."""
    given = n.weights[2] if n.config.get("use_bias", True) else np.zeros(len(order) * units, np.float32)
    rows = given if given.ndim == 2 else np.stack([given, np.zeros_like(given)])
    return np.concatenate([_gates(row, order, units) for row in rows])
