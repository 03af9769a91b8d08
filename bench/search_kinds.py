"""Weak faults for `search.py`: pairs of small ONNX graphs with a fault whose size is a number, by kind and seed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.scenarios.wrong_targets.pairs import graph, node, weights

Array = np.ndarray[Any, Any]
Net = Callable[[float], onnx.ModelProto]
"""The model with a fault of a size; 0 is the source."""


def _changed(array: Array, seed: int, size: float) -> Array:
    made = array.copy()
    made.flat[int(np.random.default_rng(seed + 99).integers(made.size))] += np.float32(size)
    return made


def one_weight(seed: int) -> Net:
    """One of 4096 weights of a first layer."""
    w, v = weights(64, 64, seed=seed), weights(64, 10, seed=seed + 1)
    nodes = [node("MatMul", "x w", "m"), node("Relu", "m", "r"), node("MatMul", "r v", "y")]
    return lambda size: graph(nodes, {"x": ("f", ["N", 64])}, ["y"], {"w": _changed(w, seed, size), "v": v})


def deep_weight(seed: int) -> Net:
    """One of 1024 weights of a third layer."""
    w, u, v = (weights(32, 32, seed=seed + place) for place in range(3))
    nodes = [node("MatMul", "x w", "a"), node("Relu", "a", "b"), node("MatMul", "b u", "c"), node("Tanh", "c", "d"),
             node("MatMul", "d v", "y")]  # fmt: skip
    return lambda size: graph(nodes, {"x": ("f", ["N", 32])}, ["y"], {"w": w, "u": u, "v": _changed(v, seed, size)})


def kernel_weight(seed: int) -> Net:
    """One weight of a convolution in front of a mean over the image."""
    w, v = weights(8, 3, 3, 3, seed=seed), weights(8, 5, seed=seed + 1)
    nodes = [node("Conv", "x w", "c", pads=[1, 1, 1, 1]), node("Relu", "c", "r"), node("GlobalAveragePool", "r", "p"),
             node("Flatten", "p", "f"), node("MatMul", "f v", "y")]  # fmt: skip
    return lambda size: graph(nodes, {"x": ("f", ["N", 3, 12, 12])}, ["y"], {"w": _changed(w, seed, size), "v": v})


def border(seed: int) -> Net:
    """What is beyond the border is a share of what is at it, in front of a mean over the image."""
    w, v = weights(8, 3, 3, 3, seed=seed), weights(8, 5, seed=seed + 1)

    def net(size: float) -> onnx.ModelProto:
        nodes = [node("Pad", "x pads", "z"), node("Pad", "x pads", "e", mode="edge"), node("Sub", "e z", "d"), node("Mul", "d share", "s"),
                 node("Add", "z s", "p"), node("Conv", "p w", "c"), node("Relu", "c", "r"), node("GlobalAveragePool", "r", "g"),
                 node("Flatten", "g", "f"), node("MatMul", "f v", "y")]  # fmt: skip
        return graph(nodes, {"x": ("f", ["N", 3, 12, 12])}, ["y"],
                     {"pads": np.array([0, 0, 1, 1, 0, 0, 1, 1]), "share": np.float32(size), "w": w, "v": v})  # fmt: skip

    return net


def rare_row(seed: int) -> Net:
    """One of 700 rows of a table, in front of a mean over 24 of them."""
    table = weights(700, 8, seed=seed, scale=26.0)
    row = int(np.random.default_rng(seed + 7).integers(700))

    def net(size: float) -> onnx.ModelProto:
        changed = table.copy()
        changed[row] += np.float32(size)
        nodes = [
            node("Gather", "table ids", "rows"),
            node("ReduceMean", "rows", "m", axes=[1], keepdims=0),
            node("MatMul", "m head", "y"),
        ]
        return graph(nodes, {"ids": ("i", ["N", 24])}, ["y"], {"table": changed, "head": weights(8, 4, seed=seed + 1)})

    return net


def bound(seed: int) -> Net:
    """A bound that noise never reaches."""
    w, v = weights(16, 16, seed=seed), weights(16, 4, seed=seed + 1)
    nodes = [node("MatMul", "x w", "m"), node("Min", "m high", "r"), node("MatMul", "r v", "y")]
    high = 60.0 + 5 * (seed % 5)
    return lambda size: graph(
        nodes, {"x": ("f", ["N", 16])}, ["y"], {"w": w, "v": v, "high": np.float32(high * (1 + 0.2 * bool(size)))}
    )


def epsilon(seed: int) -> Net:
    """What is added to a variance, behind a layer with a bias."""
    w, b = weights(12, 6, seed=seed), weights(6, seed=seed + 1)

    def net(size: float) -> onnx.ModelProto:
        nodes = [
            node("Gemm", "x w b", "h"),
            node("LayerNormalization", "h scale shift", "n", epsilon=1e-5 + size),
            node("MatMul", "n v", "y"),
        ]
        return graph(nodes, {"x": ("f", ["N", 12])}, ["y"], {"w": w, "b": b, "scale": np.ones(6, "f4"), "shift": np.zeros(6, "f4"),
                                                          "v": weights(6, 4, seed=seed + 2)})  # fmt: skip

    return net


def gate(seed: int) -> Net:
    """One weight of a gate of an LSTM."""
    w, r = weights(1, 24, 5, seed=seed), weights(1, 24, 6, seed=seed + 1)

    def net(size: float) -> onnx.ModelProto:
        nodes = [
            node("Transpose", "x", "t", perm=[1, 0, 2]),
            node("LSTM", "t w r", "all last", hidden_size=6),
            node("Squeeze", "last zero", "y"),
        ]
        return graph(
            nodes, {"x": ("f", ["N", 6, 5])}, ["y"], {"w": _changed(w, seed, size), "r": r, "zero": np.array([0])}
        )

    return net


def query(seed: int) -> Net:
    """One weight of an attention's queries."""
    q, k, v = (weights(8, 8, seed=seed + place) for place in range(3))

    def net(size: float) -> onnx.ModelProto:
        nodes = [node("MatMul", "x q", "a"), node("MatMul", "x k", "b"), node("MatMul", "x v", "c"), node("Transpose", "b", "t", perm=[0, 2, 1]),
                 node("MatMul", "a t", "s"), node("Softmax", "s", "p", axis=-1), node("MatMul", "p c", "y")]  # fmt: skip
        return graph(nodes, {"x": ("f", ["N", 5, 8])}, ["y"], {"q": _changed(q, seed, size), "k": k, "v": v})

    return net


KINDS: dict[str, tuple[Callable[[int], Net], float]] = {
    "one weight of 4096": (one_weight, 0.01), "one weight of a third layer": (deep_weight, 0.01), "one weight of a kernel": (kernel_weight, 0.01),
    "padding": (border, 0.01), "one row of 700": (rare_row, 0.1), "a bound that is far": (bound, 0.0), "epsilon behind a layer": (epsilon, 1e-4),
    "one weight of a gate": (gate, 0.01), "one weight of queries": (query, 0.01),
}  # fmt: skip
"""By name: the model by seed, and a size of fault to begin with; 0 where it is one or none."""
