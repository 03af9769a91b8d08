"""Gates of a recurrent layer in another order: blocks of rows of its weights, which ONNX has as `iofc` and `zrh`."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
_GATES = {"LSTM": "iofc", "GRU": "zrh"}
_BIAS = 3  # the input that holds two rows of biases, one behind the other


def gate_order(operator: str, index: int, needed: Array, there: Array) -> str:
    """The order in which the target holds the gates, as `ifoc`; "" where the weights differ otherwise.

    Args:
        operator: of the node.
        index: of the input: weights, recurrent weights or biases.
        needed, there: its value as it has to be and as it is.
    """
    gates = _GATES.get(operator, "")
    if not gates or index not in (1, 2, _BIAS) or needed.shape != there.shape:
        return ""
    blocks = len(gates) * (2 if index == _BIAS else 1)
    if needed.shape[1] % blocks:
        return ""
    ours, theirs = (value.reshape(value.shape[0], -1, len(gates), value.shape[1] // blocks, *value.shape[2:])
                    for value in (needed, there))  # fmt: skip
    for order in permutations(range(len(gates))):
        if order != tuple(range(len(gates))) and np.array_equal(ours[:, :, list(order)], theirs):
            return "".join(gates[position] for position in order)
    return ""
