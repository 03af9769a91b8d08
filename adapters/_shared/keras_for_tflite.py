"""Operations of a Keras model that TensorFlow's converter has no TFLite operator for, in those that it has. The model lives in memory only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import keras
import tensorflow as tf
from keras import ops

_ROUNDS = 4
_SHORT = 1 - 2.0**-20  # keeps a quotient of float32 numbers below the true one


def spelled_out(model: Any) -> tuple[Any, tuple[str, ...]]:
    """The model with such operations written in others, and what was written, one line each.

    Floor division of int64: TFLite divides int32 and real numbers only. Positions of what is not zero in a vector: Keras gives them by an Unpack
    of int64, which TFLite has not.
    """
    found = {kind for operation in getattr(model, "operations", ()) for kind in _SPELLED if kind(operation)}
    if not found:
        return model, ()

    def call(operation: Any, *given: Any, **named: Any) -> Any:
        for kind, (write, _) in _SPELLED.items():
            if kind(operation) and not named:
                return write(*given)
        return operation(*given, **named)

    made = keras.models.clone_model(model, clone_function=lambda layer: layer, call_function=call)
    return made, tuple(note for kind, (_, note) in _SPELLED.items() if kind in found)


def _divides_long(operation: Any) -> bool:
    """Whether an operation of a functional model is a floor division whose result is int64."""
    if type(operation).__name__ != "FloorDivide":
        return False
    tensors = [tensor for node in operation._inbound_nodes for tensor in node.output_tensors]
    return any(keras.backend.standardize_dtype(tensor.dtype) == "int64" for tensor in tensors)


def _finds_positions(operation: Any) -> bool:
    """Whether an operation of a functional model gives the positions of what is not zero in a vector."""
    return type(operation).__name__ == "Nonzero" and all(
        len(tensor.shape) == 1 for node in operation._inbound_nodes for tensor in node.input_tensors
    )


def _floor_division(x: Any, y: Any) -> Any:
    """Exact for all int64 but the least: each round takes the quotient of what is left from float32, whose 24 bits it is right to, a little too
    small; after four rounds what is left is below twice the divisor."""
    x, y = (ops.cast(side, "int64") for side in (x, y))
    left, size = (ops.maximum(side, ops.negative(side)) for side in (x, y))
    whole = ops.zeros_like(left + size)
    left = left + whole
    for _ in range(_ROUNDS):
        share = ops.multiply(ops.divide(ops.cast(left, "float32"), ops.cast(size, "float32")), _SHORT)
        step = ops.cast(share, "int64")
        whole, left = ops.add(whole, step), ops.subtract(left, ops.multiply(step, size))
    for _ in range(2):
        step = ops.cast(ops.greater_equal(left, size), "int64")
        whole, left = ops.add(whole, step), ops.subtract(left, ops.multiply(step, size))
    below = ops.cast(ops.greater(left, 0), "int64")
    apart = ops.not_equal(ops.less(x, 0), ops.less(y, 0))
    return ops.where(apart, ops.negative(ops.add(whole, below)), whole)


def _positions(x: Any) -> tuple[Any]:
    def found(values: Any) -> Any:
        return tf.cast(tf.reshape(tf.where(tf.not_equal(values, tf.zeros_like(values))), [-1]), tf.int32)

    numbers = x if keras.backend.standardize_dtype(x.dtype) != "bool" else ops.cast(x, "int32")
    return (keras.layers.Lambda(found, output_shape=lambda shape: (None,), dtype="int32")(numbers),)


_SPELLED: Mapping[Callable[[Any], bool], tuple[Callable[..., Any], str]] = {
    _divides_long: (_floor_division, "divisions of int64 written as long divisions, which TFLite has no operator for"),
    _finds_positions: (
        _positions,
        "positions of what is not zero written without an Unpack of int64, which TFLite has not",
    ),
}
