"""Quantised numbers, expressed in floating point and integers of whole bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from onnx import helper

from .elementwise import like
from .node import Node
from .products import _less_zero, product
from .sizes import product as total
from .windows import convolved

_WHOLE = ("int8", "uint8", "int16", "uint16")


def _spread(n: Node, parameter: Any, shape: list[Any]) -> Any:
    """A scale or zero point in a shape that broadcasts against x: for all, an axis, or blocks along it."""
    b = n.backend
    own = list(b.shape(parameter))
    if not own or own == [1]:
        return b.reshape(parameter, [])
    axis = n.axis(len(shape), 1)
    if len(own) == 1 and not n.attribute("block_size", 0):
        return b.reshape(parameter, [-1 if a == axis else 1 for a in range(len(shape))])
    block = n.attribute("block_size")
    if not isinstance(shape[axis], int):
        raise n.refuse("blocks along a free dimension")
    return b.take(parameter, np.arange(shape[axis], dtype=np.int64) // block, axis)


def _quantize(n: Node) -> Any:
    b, (x, scale), zero = n.backend, n.inputs[:2], n.given(2)
    named = n.attribute("output_dtype", 0)
    kind = (
        b.dtype(zero)
        if zero is not None
        else np.dtype(helper.tensor_dtype_to_np_dtype(named)).name
        if named
        else "uint8"
    )
    if kind not in _WHOLE:
        raise n.refuse(f"elements of type {kind} are not supported")
    shape = list(b.shape(x))
    scale = _spread(n, scale, shape)
    compute = b.dtype(scale)
    return _rounded(n, b.map("div", b.cast(x, compute), scale), None if zero is None else _spread(n, zero, shape), kind)


def _rounded(n: Node, x: Any, zero: Any, kind: str) -> Any:
    b = n.backend
    limits = np.iinfo(kind)
    rounded = b.map("round", x)
    if zero is not None:
        rounded = b.map("add", rounded, b.cast(zero, b.dtype(rounded)))
    bounded = b.map("min", b.map("max", rounded, like(n, rounded, limits.min)), like(n, rounded, limits.max))
    return b.cast(b.cast(bounded, "int32"), kind)


def _dequantize(n: Node) -> Any:
    b, (x, scale), zero = n.backend, n.inputs[:2], n.given(2)
    kind = b.dtype(scale)
    if b.dtype(x) not in (*_WHOLE, "int32"):
        raise n.refuse(f"elements of type {b.dtype(x)} are not supported")
    shape = list(b.shape(x))
    whole = b.cast(x, "int32")
    if zero is not None:
        whole = b.map("sub", whole, b.cast(_spread(n, zero, shape), "int32"))
    named = n.attribute("output_dtype", 0)
    result = b.map("mul", b.cast(whole, kind), _spread(n, scale, shape))
    return b.cast(result, np.dtype(helper.tensor_dtype_to_np_dtype(named)).name) if named else result


def _qlinear_matmul(n: Node) -> Any:
    b, (x, x_scale, x_zero, y, y_scale, y_zero, scale, zero) = n.backend, n.inputs
    kind = b.dtype(zero)
    a = _less_zero(n, x, x_zero, [-1, 1])
    c = _less_zero(n, y, y_zero, None)
    exact = product(n, b.cast(a, "float64"), b.cast(c, "float64"))
    factor = b.map("div", b.map("mul", _column(n, x_scale), y_scale), scale)
    return _rounded(n, b.map("mul", b.cast(exact, b.dtype(factor)), factor), zero, kind)


def _column(n: Node, scale: Any) -> Any:
    return n.backend.reshape(scale, [-1, 1]) if n.backend.shape(scale) not in ((), (1,)) else scale


def _qlinear_conv(n: Node) -> Any:
    b, (x, x_scale, x_zero, w, w_scale, w_zero, scale, zero) = n.backend, n.inputs[:8]
    bias = n.given(8)
    rank = len(b.shape(w))
    each = [-1, *[1] * (rank - 1)]
    a, c = _less_zero(n, x, x_zero, None), _less_zero(n, w, w_zero, each if total(b.shape(w_zero)) > 1 else [])
    exact = convolved(n, b.cast(a, "float64"), b.cast(c, "float64"), None)
    along = [1, -1, *[1] * (rank - 2)]
    if bias is not None:
        exact = b.map("add", exact, b.reshape(b.cast(bias, "float64"), along))
    factor = b.map("div", b.map("mul", x_scale, w_scale), scale)
    factor = b.reshape(factor, along) if total(b.shape(factor)) > 1 else b.reshape(factor, [])
    return _rounded(n, b.map("mul", b.cast(exact, b.dtype(factor)), factor), b.reshape(zero, []), b.dtype(zero))


OPERATORS: Mapping[str, Callable[[Node], Any]] = {
    "QuantizeLinear": _quantize, "DequantizeLinear": _dequantize, "QLinearMatMul": _qlinear_matmul,
    "QLinearConv": _qlinear_conv,
}  # fmt: skip
