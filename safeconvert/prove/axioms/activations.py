"""HardSigmoid, HardSwish, Swish, Gelu, LeakyRelu and PRelu, spelled out."""

from __future__ import annotations

import math

import numpy as np

from safeconvert.prove.axioms.affine import affine, scale, unary
from safeconvert.prove.axioms.axiom import Axiom
from safeconvert.prove.axioms.clips import clipped
from safeconvert.prove.axioms.products import product
from safeconvert.prove.axioms.sums import total
from safeconvert.prove.kernel.layout import Value, along
from safeconvert.prove.kernel.node import Node
from safeconvert.prove.kernel.terms import Array, near

_EXACT = "the Gelu is the exact one"
_RISING = "the number that is drawn out of a bound is positive"


def _bounded(n: Node, alpha: float, beta: float) -> Value:
    """clip(αx + β, 0, 1), α in front: behind a product it would go into that one's weights, and be found there no more."""
    AXIOM.use(n.store)
    number, x = (alpha if AXIOM.holds(n.store, _RISING, alpha > 0) else 1.0), n.value()
    inner = Value(affine(n.store, x.term, alpha / number, beta / number), x.groups)
    return scale(n.store, clipped(n.store, inner, 0.0, 1 / number), number)


def _hard_sigmoid(n: Node) -> list[Value]:
    return [_bounded(n, n.attributes["alpha"], n.attributes["beta"])]


def _hard_swish(n: Node) -> list[Value]:
    return [product(n.store, n.value(), _bounded(n, 1 / 6, 0.5))]


def _swish(n: Node) -> list[Value]:
    AXIOM.use(n.store)
    inner = scale(n.store, n.value(), n.attributes["alpha"])
    return [product(n.store, n.value(), unary(n.store, "Sigmoid", inner))]


def _gelu(n: Node) -> list[Value]:
    AXIOM.use(n.store)
    if not AXIOM.holds(n.store, _EXACT, n.attributes["approximate"] == "none"):
        return [_gelu_by_tanh(n)]
    error = unary(n.store, "Erf", scale(n.store, n.value(), math.sqrt(0.5)))
    return [product(n.store, n.value(), Value(affine(n.store, error.term, 0.5, 0.5), error.groups))]


def _gelu_by_tanh(n: Node) -> Value:
    x = n.value()
    cube = product(n.store, product(n.store, x, x), x)
    inner = total(n.store, x, scale(n.store, cube, 0.044715))
    bent = unary(n.store, "Tanh", scale(n.store, inner, math.sqrt(2 / math.pi)), ())
    return product(n.store, x, Value(affine(n.store, bent.term, 0.5, 0.5), bent.groups))


def _mish(n: Node) -> list[Value]:
    AXIOM.use(n.store)
    soft = unary(n.store, "Softplus", n.value(), ())
    return [product(n.store, n.value(), unary(n.store, "Tanh", soft, ()))]


def _sloped(n: Node, slope: Array) -> list[Value]:
    AXIOM.use(n.store)
    term = n.value().term
    return [Value(n.store.term("prelu", term.shape, (term,), (), [near(along(slope, n.value()))]), n.value().groups)]


def _leaky_relu(n: Node) -> list[Value]:
    return _sloped(n, np.asarray(n.attributes["alpha"], np.float64))


def _prelu(n: Node) -> list[Value]:
    return _sloped(n, n.real(1))


AXIOM = Axiom(
    "activations spelled out",
    "hardsigmoid(x) = clip(αx + β, 0, 1), which for an α > 0 is α·clip(x + β/α, 0, 1/α); hardswish(x) = x·hardsigmoid(x) with α = 1/6 and β = ½; swish(x) = x·σ(αx); "
    "gelu(x) = x·(½ + ½·erf(x/√2)), by tanh x·(½ + ½·tanh(√(2/π)·(x + 0.044715·x³))); mish(x) = x·tanh(softplus(x)); leakyrelu(x) = prelu(x, α).",
    (_EXACT, _RISING),
    {"HardSigmoid": _hard_sigmoid, "HardSwish": _hard_swish, "Swish": _swish, "Gelu": _gelu, "Mish": _mish, "LeakyRelu": _leaky_relu,
     "PRelu": _prelu},
)  # fmt: skip
