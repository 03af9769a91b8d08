"""Keras' layers that scale and shift by constants: Rescaling, Normalization, and those of Keras' own applications."""

from __future__ import annotations

from typing import Any

import numpy as np

from safeconvert.prove.kernel.terms import Array, Refused
from safeconvert.prove.readers.keras.layer import Layer, Tensor

_EPSILON = np.float32(1e-7)
"""`keras.config.epsilon()` where nothing is set: no deviation counts as less (Keras 3.15, `Normalization.call`)."""


def rescaling(n: Layer) -> Tensor:
    """Rescaling: x * scale + offset, each one number or one for each channel, channels last."""
    scale, offset = _numbers(n, n.config["scale"]), _numbers(n, n.config.get("offset", 0.0))
    scaled = n.write("Mul", n.x.name, n.write.constant(scale))
    return Tensor(n.write("Add", scaled, n.write.constant(offset)), n.x.rank)


def _numbers(n: Layer, given: Any) -> Array:
    """A number or a list of some as Keras writes it into a configuration. Raises Refused for what has several axes, or more than the input."""
    if isinstance(given, dict) and given.get("class_name") == "__numpy__":
        given = given["config"]["value"]
    array = np.asarray(given, np.float32)
    if array.ndim > 1 or array.ndim > n.x.rank - 1:
        raise Refused(f"{n.kind}: by numbers of {array.ndim} axes")
    return array


def normalization(n: Layer) -> Tensor:
    """Normalization: (x - mean) / max(sqrt(variance), epsilon) along some axes, or the other way around; what is fed first is no part of it."""
    rank = n.x.rank
    given = n.config.get("axis", -1)
    axes = sorted({int(axis) % rank for axis in ([given] if isinstance(given, int) else given or [])})
    mean, variance = (_along(n, array, axes) for array in _moments(n))
    deviation = n.write.constant(np.maximum(np.sqrt(variance), _EPSILON))
    shift = n.write.constant(mean)
    if n.config.get("invert", False):
        return Tensor(n.write("Add", shift, n.write("Mul", n.x.name, deviation)), rank)
    return Tensor(n.write("Div", n.write("Sub", n.x.name, shift), deviation), rank)


def _moments(n: Layer) -> tuple[Array, Array]:
    """Mean and variance: of the configuration, else those that the layer has adapted to."""
    named = n.config.get("mean"), n.config.get("variance")
    if (named[0] is None) != (named[1] is None):
        raise Refused(f"{n.kind}: with a mean or a variance alone")
    arrays = [np.asarray(one, np.float32) for one in (n.weights if named[0] is None else named)]
    if len(arrays) != 2 or arrays[0].shape != arrays[1].shape:
        raise Refused(f"{n.kind}: has {len(arrays)} weights, or of other shapes")
    return arrays[0], arrays[1]


def _along(n: Layer, array: Array, axes: list[int]) -> Array:
    """Numbers along the last of some axes as a tensor of the input's rank."""
    if array.ndim > len(axes):
        raise Refused(f"{n.kind}: numbers of {array.ndim} axes along {len(axes)}")
    shape = [1] * n.x.rank
    for axis, size in zip(axes[len(axes) - array.ndim :], array.shape, strict=True):
        shape[axis] = size
    return array.reshape(shape)


def by_channel(n: Layer) -> Tensor:
    """LayerScale of ConvNeXt: x * gamma along the last axis."""
    return Tensor(n.write("Mul", n.x.name, n.weight(0)), n.x.rank)


def scaled_sum(n: Layer) -> Tensor:
    """CustomScaleLayer of InceptionResNetV2: x + y * scale."""
    if len(n.inputs) != 2 or len({one.rank for one in n.inputs}) != 1 or any(one.whole for one in n.inputs):
        raise Refused(f"{n.kind}: of other than two inputs of floating-point numbers")
    x, y = n.inputs
    return Tensor(n.write("Add", x.name, n.write("Mul", y.name, n.write.number(float(n.config["scale"])))), x.rank)
