"""Matrix products, and the same on quantised integers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .elementwise import like
from .node import Node
from .windows import convolved

_EXACT = 1 << 24  # integers up to here are exact in float32


def _matmul(n: Node) -> Any:
    return product(n, n.inputs[0], n.inputs[1])


def product(n: Node, x: Any, y: Any) -> Any:
    """numpy's matmul, vectors included."""
    b = n.backend
    x_rank, y_rank = len(b.shape(x)), len(b.shape(y))
    if isinstance(y, np.ndarray) and y.ndim == 2 and x_rank >= 2 and "float" in b.dtype(x):
        return b.linear(x, y, None)
    if b.dtype(x) not in ("float16", "float32", "float64", "bfloat16"):
        return _integers(n, product, x, y, b.shape(x)[-1])
    x = b.reshape(x, [1, *b.shape(x)]) if x_rank == 1 else x
    y = b.reshape(y, [*b.shape(y), 1]) if y_rank == 1 else y
    result = b.matmul(x, y)
    shape = list(b.shape(result))
    if y_rank == 1:
        shape.pop(-1)
    if x_rank == 1:
        shape.pop(-1 if y_rank == 1 else -2)
    return b.reshape(result, shape) if 1 in (x_rank, y_rank) else result


def _integers(n: Node, function: Callable[..., Any], x: Any, y: Any, depth: Any) -> Any:
    """A product of integers, exactly, in a floating-point type that holds the sums."""
    b = n.backend
    kinds = {b.dtype(x), b.dtype(y)}
    if kinds & {"int64", "uint64"}:
        raise n.refuse("a product of 64-bit integers is not exact in floating point")
    small = kinds <= {"int8", "uint8"} and isinstance(depth, int) and depth * 255 * 255 < _EXACT
    wider = "float32" if small else "float64"
    result = function(n, b.cast(x, wider), b.cast(y, wider))
    return b.cast(result, b.dtype(x) if kinds & {"int32", "uint32", "int16", "uint16"} else "int32")


def _gemm(n: Node) -> Any:
    b, (x, y), c = n.backend, n.inputs[:2], n.given(2)
    alpha, beta = n.attribute("alpha", 1.0), n.attribute("beta", 1.0)
    x = b.transpose(x, [1, 0]) if n.attribute("transA", 0) else x
    if isinstance(y, np.ndarray) and "float" in b.dtype(x):
        y = y.T if n.attribute("transB", 0) else y
        y = y if alpha == 1 else (y * np.asarray(alpha, y.dtype))
        if isinstance(c, np.ndarray) and c.size in (1, c.shape[-1] if c.ndim else 1):  # one row
            row = np.broadcast_to(c.reshape(-1) * np.asarray(beta, y.dtype), (y.shape[1],))
            return b.linear(x, np.ascontiguousarray(y), np.ascontiguousarray(row))
        result = b.linear(x, np.ascontiguousarray(y), None)
    else:
        y = b.transpose(y, [1, 0]) if n.attribute("transB", 0) else y
        result = product(n, x, y)
        result = result if alpha == 1 else b.map("mul", result, like(n, x, alpha))
    if c is None:
        return result
    return b.map("add", result, c if beta == 1 else b.map("mul", c, like(n, x, beta)))


def _einsum(n: Node) -> Any:
    equation = n.attribute("equation").decode().replace(" ", "")
    return n.backend.einsum(equation, n.inputs)


def _less_zero(n: Node, x: Any, zero: Any, shape: list[int] | None) -> Any:
    b = n.backend
    x = b.cast(x, "int32")
    if zero is None:
        return x
    zero = b.cast(zero, "int32")
    if shape is not None and len(b.shape(zero)) == 1:
        zero = b.reshape(zero, shape)
    return b.map("sub", x, zero)


def _matmul_integer(n: Node) -> Any:
    b, (x, y) = n.backend, n.inputs[:2]
    x = _less_zero(n, x, n.given(2), [-1, 1])
    y = _less_zero(n, y, n.given(3), None)
    return b.cast(product(n, b.cast(x, "float64"), b.cast(y, "float64")), "int32")


def _conv_integer(n: Node) -> Any:
    b, (x, w) = n.backend, n.inputs[:2]
    rank = len(b.shape(w))
    x, w = _less_zero(n, x, n.given(2), None), _less_zero(n, w, n.given(3), [-1, *[1] * (rank - 1)])
    w = w if not isinstance(n.inputs[1], np.ndarray) else _known_weights(n, 1, 3)
    wide = w.astype(np.float64) if isinstance(w, np.ndarray) else b.cast(w, "float64")
    return b.cast(convolved(n, b.cast(x, "float64"), wide, None), "int32")


def _known_weights(n: Node, position: int, zero_position: int) -> np.ndarray:
    w: np.ndarray = n.inputs[position].astype(np.int32)
    zero = n.known(zero_position, "the weights' zero point")
    if zero is None:
        return w
    return w - (
        zero.astype(np.int32).reshape([-1, *[1] * (w.ndim - 1)])
        if zero.size > 1
        else zero.reshape(-1)[0].astype(np.int32)
    )


OPERATORS: Mapping[str, Callable[[Node], Any]] = {
    "MatMul": _matmul, "Gemm": _gemm, "Einsum": _einsum, "MatMulInteger": _matmul_integer, "ConvInteger": _conv_integer,
    "Det": lambda n: n.backend.det(n.inputs[0]),
}  # fmt: skip
