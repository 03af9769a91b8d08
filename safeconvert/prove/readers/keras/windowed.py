"""Keras' operations in windows: pooling, and convolutions by constant weights."""

from __future__ import annotations

import numpy as np

from safeconvert.prove.kernel.terms import Array, Refused
from safeconvert.prove.readers.keras.layer import Tensor, moved, numbers
from safeconvert.prove.readers.keras.operation import Operation, Rule
from safeconvert.prove.readers.keras.windows import by_channel


def pooled(operator: str) -> Rule:
    """max_pool and average_pool, whose mean does not count padding."""

    def rule(o: Operation) -> Tensor:
        rank = o.alone().rank - 2
        window = numbers(o.config["pool_size"], rank)
        strides = numbers(o.config["strides"], rank) if o.config.get("strides") is not None else window
        first = moved(o.write, o.x, first=True)
        made = o.write(operator, first, kernel_shape=window, strides=strides, auto_pad=_padding(o))
        return _last(o, made)

    return rule


def convolution(o: Operation) -> Tensor:
    """conv: weights are [*window, in, out]."""
    return _convolved(o, np.moveaxis(_weights(o), (-1, -2), (0, 1)), 1)


def depthwise(o: Operation) -> Tensor:
    """depthwise_conv: weights are [*window, in, multiplier]."""
    return _convolved(o, by_channel(_weights(o)), _weights(o).shape[-2])


def _weights(o: Operation) -> Array:
    given = o.arguments[1] if len(o.arguments) == 2 else None
    if not isinstance(given, np.ndarray) or given.dtype != np.float32 or given.ndim != o.x.rank:
        raise Refused(f"{o.kind}: by weights that are computed, or not float32")
    return given


def _convolved(o: Operation, kernel: Array, group: int) -> Tensor:
    """A convolution by a kernel in ONNX' order."""
    rank = o.x.rank - 2
    made = o.write(
        "Conv", moved(o.write, o.x, first=True), o.write.constant(kernel), group=group, auto_pad=_padding(o),
        strides=numbers(o.config.get("strides", 1), rank), dilations=numbers(o.config.get("dilation_rate", 1), rank),
    )  # fmt: skip
    return _last(o, made)


def _padding(o: Operation) -> str:
    """How it pads. Raises Refused for what is unknown, and for channels first."""
    how = {"valid": "VALID", "same": "SAME_UPPER"}.get(str(o.config.get("padding", "valid")))
    if how is None or o.config.get("data_format") not in (None, "channels_last"):
        raise Refused(f"{o.kind}: padding {o.config.get('padding')}, or channels first")
    return how


def _last(o: Operation, name: str) -> Tensor:
    made = Tensor(name, o.x.rank)
    return Tensor(moved(o.write, made, first=False), o.x.rank)
