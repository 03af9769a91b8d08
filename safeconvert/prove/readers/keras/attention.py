"""Keras' MultiHeadAttention."""

from __future__ import annotations

import math

import numpy as np

from safeconvert.prove.kernel.terms import Refused
from safeconvert.prove.readers.keras.layer import Layer, Tensor

PARTS = ("query_dense", "key_dense", "value_dense", "output_dense")


def attention(n: Layer) -> Tensor:
    """MultiHeadAttention(query, value, key) without a mask: products by head, softmax over the keys, and a product across heads.

    Weights are [in, heads, size] and [heads, size, out], a bias behind each.
    """
    n.only(flash_attention=None, use_gate=False)
    if (
        n.settings
        or n.config.get("attention_axes") not in (None, [1])
        or any(tensor.rank != 3 or tensor.whole for tensor in n.inputs)
        or not 2 <= len(n.inputs) <= 3
    ):
        raise Refused("MultiHeadAttention: with a mask, or of other than sequences")
    each = 2 if n.config.get("use_bias", True) else 1
    if len(n.weights) != 4 * each:
        raise Refused(f"MultiHeadAttention: has {len(n.weights)} weights")
    query, value = n.inputs[:2]
    reads = (query, n.inputs[2] if len(n.inputs) == 3 else value, value)
    q, k, v = (_by_head(n, tensor, place * each, order) for place, (tensor, order) in enumerate(
        zip(reads, ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3]), strict=True)))  # fmt: skip
    size = n.weights[0].shape[-1]
    scores = n.write("MatMul", n.write("Mul", q, n.write.number(1 / math.sqrt(size))), k)
    mixed = n.write("MatMul", n.write("Softmax", scores, axis=-1), v)
    last = n.weights[3 * each]
    joined = n.write("Transpose", mixed, perm=[0, 2, 1, 3])
    flat = n.write("Reshape", joined, n.write.integers(0, 0, last.shape[0] * last.shape[1]))
    made = n.write("MatMul", flat, n.write.constant(last.reshape(-1, last.shape[-1])))
    return Tensor(n.write("Add", made, n.weight(7)) if each == 2 else made, 3)


def _by_head(n: Layer, tensor: Tensor, place: int, order: list[int]) -> str:
    """A sequence times weights of a place, as [batch, sequence, head, size] in an order of axes."""
    kernel = n.weights[place]
    made = n.write("MatMul", tensor.name, n.write.constant(kernel.reshape(kernel.shape[0], -1)))
    if n.config.get("use_bias", True):
        made = n.write("Add", made, n.write.constant(np.asarray(n.weights[place + 1]).reshape(-1)))
    split = n.write("Reshape", made, n.write.integers(0, 0, *kernel.shape[1:]))
    return n.write("Transpose", split, perm=order)
