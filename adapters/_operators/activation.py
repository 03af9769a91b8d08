"""Activation functions; the formulas are those of ONNX' operator specifications."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .elementwise import is_float, like, wide
from .node import Node


def _relu(n: Node) -> Any:
    x = n.inputs[0]
    if is_float(n, x):
        return n.backend.map("relu", x)
    return wide(n, lambda v: n.backend.map("max", v, np.zeros((), dtype=n.backend.dtype(v))), x)


def _parts(n: Node) -> tuple[Any, Callable[..., Any], Callable[[float], np.ndarray]]:
    """The input, `map`, and scalars of its type."""
    return n.inputs[0], n.backend.map, lambda value: like(n, n.inputs[0], value)


def _hard_sigmoid(n: Node, alpha: float | None = None, beta: float | None = None) -> Any:
    x, f, c = _parts(n)
    alpha = n.attribute("alpha", 0.2) if alpha is None else alpha
    beta = n.attribute("beta", 0.5) if beta is None else beta
    return f("min", f("max", f("add", f("mul", x, c(alpha)), c(beta)), c(0)), c(1))


def _exponential(n: Node, x: Any, alpha: float) -> Any:
    """alpha * (exp(x) - 1) of the negative part; positive ones give 0, and no overflow."""
    b, kind = n.backend, n.backend.dtype(x)
    inner = "float32" if kind in ("float16", "bfloat16") else kind  # in which 1 and exp(x) can be told apart
    x, zero, one = b.cast(x, inner), np.asarray(0, inner), np.asarray(1, inner)
    return b.cast(b.map("mul", b.map("sub", b.map("exp", b.map("min", x, zero)), one), np.asarray(alpha, inner)), kind)


def _elu(n: Node) -> Any:
    x, f, c = _parts(n)
    return f("where", f("gt", x, c(0)), x, _exponential(n, x, n.attribute("alpha", 1.0)))


def _celu(n: Node) -> Any:
    x, f, c = _parts(n)
    alpha = n.attribute("alpha", 1.0)
    return f("where", f("gt", x, c(0)), x, _exponential(n, f("div", x, c(alpha)), alpha))


def _selu(n: Node) -> Any:
    x, f, c = _parts(n)
    alpha, gamma = n.attribute("alpha", 1.67326319217681884765625), n.attribute("gamma", 1.05070102214813232421875)
    return f("mul", f("where", f("gt", x, c(0)), x, _exponential(n, x, alpha)), c(gamma))


def _leaky(n: Node) -> Any:
    x, f, c = _parts(n)
    return f("where", f("ge", x, c(0)), x, f("mul", x, c(n.attribute("alpha", 0.01))))


def _prelu(n: Node) -> Any:
    b, slope = n.backend, n.inputs[1]

    def apply(x: Any, slope: Any) -> Any:
        return b.map("where", b.map("ge", x, np.zeros((), dtype=b.dtype(x))), x, b.map("mul", x, slope))

    return wide(n, apply, n.inputs[0], slope)


def _thresholded(n: Node) -> Any:
    x, f, c = _parts(n)
    return f("where", f("gt", x, c(n.attribute("alpha", 1.0))), x, c(0))


def _shrink(n: Node) -> Any:
    def apply(x: Any) -> Any:
        f = n.backend.map
        kind = n.backend.dtype(x)
        bias, lambd = (np.asarray(n.attribute(k, v), dtype=kind) for k, v in (("bias", 0.0), ("lambd", 0.5)))
        zero = np.zeros((), dtype=kind)
        return f("where", f("lt", x, -lambd), f("add", x, bias), f("where", f("gt", x, lambd), f("sub", x, bias), zero))

    return wide(n, apply, n.inputs[0])


def _softsign(n: Node) -> Any:
    x, f, c = _parts(n)
    return f("div", x, f("add", f("abs", x), c(1)))


def _mish(n: Node) -> Any:
    return n.backend.map("mul", n.inputs[0], n.backend.map("tanh", n.backend.map("softplus", n.inputs[0])))


def _gelu(n: Node) -> Any:
    return n.backend.gelu(n.inputs[0], n.attribute("approximate", b"none") == b"tanh")


def _swish(n: Node) -> Any:
    x, f, c = _parts(n)
    alpha = n.attribute("alpha", 1.0)
    return f("mul", x, f("sigmoid", x if alpha == 1 else f("mul", x, c(alpha))))


OPERATORS: Mapping[str, Callable[[Node], Any]] = {
    "Relu": _relu, "HardSigmoid": _hard_sigmoid, "Elu": _elu, "Celu": _celu, "Selu": _selu, "LeakyRelu": _leaky,
    "PRelu": _prelu, "ThresholdedRelu": _thresholded, "Shrink": _shrink, "Softplus": lambda n: n.backend.map("softplus", n.inputs[0]), "Softsign": _softsign,
    "Mish": _mish, "Gelu": _gelu, "Swish": _swish,
    "HardSwish": lambda n: n.backend.map("mul", n.inputs[0], _hard_sigmoid(n, 1 / 6, 0.5)),
}  # fmt: skip
