"""Resize and Upsample whose scales are an input of the model: places in the image that are computed at run time.

The size of the result is declared, the scales say where its elements lie. What ONNX Runtime and onnx' reference read in two ways, aligned
corners of a size that is no whole multiple, is refused, as are antialiased kernels, whose number of elements depends on the scale.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .elementwise import is_float
from .node import Node

_MODES = ("half_pixel", "asymmetric", "half_pixel_symmetric", "pytorch_half_pixel")


def rescaled(n: Node, scales: Any, axes: list[int], shape: tuple[int, ...]) -> Any:
    """The image along each axis at as many places as the declared shape has.

    Args:
        n: the node; its first input is the image.
        scales: a tensor, one for each of the axes.
        axes: counted from the front.
        shape: of the result.
    """
    b, x = n.backend, n.inputs[0]
    mode = n.attribute("mode", b"nearest").decode()
    if n.attribute("antialias", 0) or (mode != "nearest" and not is_float(n, x)):
        raise n.refuse("scales that depend on the model's inputs, with an antialiased kernel or of integers")
    for index, axis in enumerate(axes):
        length, size = b.shape(x)[axis], shape[axis]
        if not isinstance(length, int) or not length or not size:
            raise n.refuse("along a free or empty dimension")
        if length == 1:  # wherever the places are, that one counts
            x = x if size == 1 else b.broadcast(x, [size if a == axis else own for a, own in enumerate(b.shape(x))])
            continue
        scale = b.cast(b.slice(scales, [slice(index, index + 1)]), "float32")
        places = _places(n, length, size, scale)
        x = _nearest(n, x, axis, places) if mode == "nearest" else _weighted(n, x, axis, places, mode)
    return x


def _number(value: float) -> np.ndarray:
    return np.asarray(value, dtype=np.float32)


def _places(n: Node, length: int, size: int, scale: Any) -> Any:
    """Where in the image the elements of the result lie, float32 (size,)."""
    b = n.backend
    older = n.operator == "Upsample" or n.opset < 11
    mode = "asymmetric" if older else n.attribute("coordinate_transformation_mode", b"half_pixel").decode()
    if mode not in _MODES or (mode == "pytorch_half_pixel" and size == 1):
        raise n.refuse(f"{mode} with scales that depend on the model's inputs")
    numbers = np.arange(size, dtype=np.float32)
    if mode == "asymmetric":
        return b.map("div", numbers, scale)
    places = b.map("sub", b.map("div", numbers + np.float32(0.5), scale), _number(0.5))
    if mode != "half_pixel_symmetric":
        return places
    share = b.map("div", _number(size).reshape(1), b.map("mul", scale, _number(length)))
    return b.map("add", b.map("mul", b.map("sub", _number(1).reshape(1), share), _number(length / 2)), places)


def _within(n: Node, places: Any, length: int) -> Any:
    b = n.backend
    return b.map(
        "min", b.map("max", b.cast(places, "int64"), np.asarray(0, np.int64)), np.asarray(length - 1, np.int64)
    )


def _nearest(n: Node, x: Any, axis: int, places: Any) -> Any:
    b = n.backend
    older = n.operator == "Upsample" or n.opset < 11
    rounding = "floor" if older else n.attribute("nearest_mode", b"round_prefer_floor").decode()
    if rounding == "round_prefer_floor":
        places = b.map("ceil", b.map("sub", places, _number(0.5)))
    elif rounding == "round_prefer_ceil":
        places = b.map("floor", b.map("add", places, _number(0.5)))
    else:
        places = b.map(rounding, places)
    return b.take(x, _within(n, places, b.shape(x)[axis]), axis)


def _weighted(n: Node, x: Any, axis: int, places: Any, mode: str) -> Any:
    """The weighted sum of two or four neighbours; what lies outside is the border, or counts nothing."""
    b = n.backend
    shape = list(b.shape(x))
    length, rank = shape[axis], len(shape)
    floor = b.map("floor", places)
    rest = b.map("sub", places, floor)
    offsets = (0, 1) if mode == "linear" else (-1, 0, 1, 2)
    weights = _linear(n, rest) if mode == "linear" else _cubic(n, rest, float(n.attribute("cubic_coeff_a", -0.75)))
    taps = [b.map("add", floor, _number(offset)) for offset in offsets]
    if n.attribute("exclude_outside", 0):
        last = _number(length - 1)
        there = [b.map("and", b.map("ge", tap, _number(0)), b.map("le", tap, last)) for tap in taps]
        weights = [b.map("where", here, weight, _number(0)) for here, weight in zip(there, weights, strict=True)]
        total = weights[0]
        for weight in weights[1:]:
            total = b.map("add", total, weight)
        weights = [b.map("div", weight, total) for weight in weights]
    along = [-1 if a == axis else 1 for a in range(rank)]
    result = None
    for tap, weight in zip(taps, weights, strict=True):
        part = b.take(x, _within(n, tap, length), axis)
        part = b.map("mul", part, b.cast(b.reshape(weight, along), b.dtype(x)))
        result = part if result is None else b.map("add", result, part)
    return result


def _linear(n: Node, rest: Any) -> list[Any]:
    return [n.backend.map("sub", _number(1).reshape(1), rest), rest]


def _cubic(n: Node, rest: Any, a: float) -> list[Any]:
    """Keys' kernel at the distances of four neighbours."""
    b = n.backend

    def polynomial(x: Any, *factors: float) -> Any:
        made = b.map("mul", x, _number(factors[0]))
        for factor in factors[1:-1]:
            made = b.map("mul", b.map("add", made, _number(factor)), x)
        return b.map("add", made, _number(factors[-1]))

    near, far = (a + 2, -(a + 3), 0.0, 1.0), (a, -5 * a, 8 * a, -4 * a)
    other = b.map("sub", _number(1).reshape(1), rest)
    return [
        polynomial(b.map("add", rest, _number(1)), *far), polynomial(rest, *near), polynomial(other, *near),
        polynomial(b.map("add", other, _number(1)), *far),
    ]  # fmt: skip
