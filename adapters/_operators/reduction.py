"""Operators over whole axes: reductions, extremes, running sums, the Softmax family."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .elementwise import is_float, like, wide
from .node import Node
from .sizes import product


def _axes(n: Node, x: Any) -> list[int]:
    rank = len(n.backend.shape(x))
    axes = n.axes(rank)
    if not axes:
        return [] if n.attribute("noop_with_empty_axes", 0) else list(range(rank))
    return sorted(set(axes))


def _reduced(
    name: str, before: Callable[..., Any] | None = None, after: Callable[..., Any] | None = None
) -> Callable[[Node], Any]:
    def apply(n: Node) -> Any:
        axes, keep, b = _axes(n, n.inputs[0]), bool(n.attribute("keepdims", 1)), n.backend

        def compute(x: Any) -> Any:
            x = before(n, x) if before else x
            x = b.reduce(name, x, axes, keep) if axes else x
            return after(n, x) if after else x

        if b.dtype(n.inputs[0]) == "bool":  # of which there are only a max and a min
            return b.reduce("any" if name == "max" else "all", n.inputs[0], axes, keep) if axes else n.inputs[0]
        return wide(n, compute, n.inputs[0])

    return apply


def _mean(n: Node) -> Any:
    x = n.inputs[0]
    if is_float(n, x):
        return _reduced("mean")(n)
    count = product([n.backend.shape(x)[axis] for axis in _axes(n, x)])
    if not isinstance(count, int):
        raise n.refuse("the mean of integers over a free dimension is not supported")
    return wide(n, lambda total: n.backend.map("quotient", total, like(n, total, count)), _reduced("sum")(n))


def _log_sum_exp(n: Node) -> Any:
    b, x = n.backend, n.inputs[0]
    axes, keep = _axes(n, x), bool(n.attribute("keepdims", 1))
    if not axes:
        return b.map("log", b.map("exp", x))
    if any(b.shape(x)[axis] == 0 for axis in axes):
        return b.map("log", b.reduce("sum", b.map("exp", x), axes, keep))
    top = b.reduce("max", x, axes, True)
    top = b.map("where", b.map("isinf", top), like(n, x, 0), top)
    total = b.map("add", b.map("log", b.reduce("sum", b.map("exp", b.map("sub", x, top)), axes, True)), top)
    return total if keep else squeeze(n, total, axes)


def squeeze(n: Node, x: Any, axes: list[int]) -> Any:
    """Without the axes, whose sizes are 1."""
    return n.backend.reshape(x, [size for axis, size in enumerate(n.backend.shape(x)) if axis not in axes])


def _arg(name: str) -> Callable[[Node], Any]:
    def apply(n: Node) -> Any:
        b, x = n.backend, n.inputs[0]
        axis = n.axis(len(b.shape(x)))
        if n.attribute("select_last_index", 0):
            last = np.asarray(b.shape(x)[axis] - 1, dtype=np.int64)
            found = b.map("sub", last, b.arg(name, b.flip(x, [axis]), axis))
        else:
            found = b.arg(name, x, axis)
        if n.attribute("keepdims", 1):
            shape = list(b.shape(x))
            shape[axis] = 1
            found = b.reshape(found, shape)
        return found

    return apply


def _flattened(n: Node, function: Callable[[Any, int], Any]) -> Any:
    """Before operator set 13 the axes from `axis` on count as one (ONNX Softmax-11)."""
    b, x = n.backend, n.inputs[0]
    shape = b.shape(x)
    if n.opset >= 13 or n.axis(len(shape), 1) == len(shape) - 1:
        return function(x, n.axis(len(shape), -1 if n.opset >= 13 else 1))
    axis = n.axis(len(shape), 1)
    flat = b.reshape(x, [product(shape[:axis]), product(shape[axis:])])
    return b.reshape(function(flat, 1), shape)


def _log_softmax(n: Node) -> Any:
    b = n.backend

    def apply(x: Any, axis: int) -> Any:
        shifted = b.map("sub", x, b.reduce("max", x, [axis], True))
        return b.map("sub", shifted, b.map("log", b.reduce("sum", b.map("exp", shifted), [axis], True)))

    return _flattened(n, apply)


def _hardmax(n: Node) -> Any:
    b = n.backend

    def apply(x: Any, axis: int) -> Any:
        size, rank = b.shape(x)[axis], len(b.shape(x))
        if not isinstance(size, int):
            raise n.refuse("over a free dimension")
        indices = np.arange(size, dtype=np.int64).reshape([-1 if a == axis else 1 for a in range(rank)])
        found = b.arg("max", x, axis)
        found = b.reshape(found, [1 if a == axis else s for a, s in enumerate(b.shape(x))])
        return b.cast(b.map("eq", found, indices), b.dtype(x))

    return _flattened(n, apply)


def _cumulative(name: str) -> Callable[[Node], Any]:
    def apply(n: Node) -> Any:
        b = n.backend
        given = n.known(1, "the axis")
        assert given is not None
        rank = len(b.shape(n.inputs[0]))
        axis = int(given.reshape(-1)[0]) % rank
        reverse = n.attribute("reverse", 0)

        def run(x: Any) -> Any:
            x = b.flip(x, [axis]) if reverse else x
            if n.attribute("exclusive", 0):
                size = b.shape(x)[axis]
                pads = [(1, 0) if a == axis else (0, 0) for a in range(rank)]
                x = b.pad(x, pads, 0 if name == "sum" else 1)
                x = b.slice(x, [slice(0, size) if a == axis else slice(None) for a in range(rank)])
            x = b.cumulative(name, x, axis)
            return b.flip(x, [axis]) if reverse else x

        return wide(n, run, n.inputs[0])

    return apply


def _top(n: Node) -> Any:
    b, x = n.backend, n.inputs[0]
    k = n.attribute("k")
    if k is None:
        given = n.known(1, "the number of elements")
        assert given is not None
        k = int(given.reshape(-1)[0])
    values, indices = b.top(x, int(k), n.axis(len(b.shape(x)), -1), bool(n.attribute("largest", 1)))
    return values, indices


def _lp_normalization(n: Node) -> Any:
    b, x = n.backend, n.inputs[0]
    axis, p = n.axis(len(b.shape(x)), -1), n.attribute("p", 2)
    size = b.reduce("sum", b.map("abs", x) if p == 1 else b.map("mul", x, x), [axis], True)
    size = size if p == 1 else b.map("sqrt", size)
    zero = b.map("eq", size, like(n, x, 0))
    return b.map("where", zero, like(n, x, 0), b.map("div", x, b.map("where", zero, like(n, x, 1), size)))


def _square(n: Node, x: Any) -> Any:
    return n.backend.map("mul", x, x)


def _mapped(name: str) -> Callable[[Node, Any], Any]:
    return lambda n, x: n.backend.map(name, x)


def _root(n: Node, x: Any) -> Any:
    if is_float(n, x):
        return n.backend.map("sqrt", x)
    return n.backend.cast(n.backend.map("sqrt", n.backend.cast(x, "float64")), n.backend.dtype(x))


OPERATORS: Mapping[str, Callable[[Node], Any]] = {
    "ReduceSum": _reduced("sum"), "ReduceMax": _reduced("max"), "ReduceMin": _reduced("min"), "ReduceProd": _reduced("prod"),
    "ReduceMean": _mean, "ReduceL1": _reduced("sum", _mapped("abs")), "ReduceL2": _reduced("sum", _square, _root),
    "ReduceSumSquare": _reduced("sum", _square), "ReduceLogSum": _reduced("sum", None, _mapped("log")),
    "ReduceLogSumExp": _log_sum_exp, "ArgMax": _arg("max"), "ArgMin": _arg("min"), "LogSoftmax": _log_softmax,
    "Softmax": lambda n: _flattened(n, n.backend.softmax), "Hardmax": _hardmax, "CumSum": _cumulative("sum"),
    "CumProd": _cumulative("prod"), "TopK": _top, "LpNormalization": _lp_normalization,
}  # fmt: skip
