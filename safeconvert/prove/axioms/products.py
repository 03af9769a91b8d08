"""Mul, Div, Neg, and Pow with a few exponents."""

from __future__ import annotations

import numpy as np

from safeconvert.prove.axioms.affine import broadcast, normalised, scale, unary
from safeconvert.prove.axioms.axiom import Axiom
from safeconvert.prove.axioms.operands import mixed, only_floating, onto
from safeconvert.prove.axioms.spreading import joint, stripped
from safeconvert.prove.kernel.layout import Value, along, paired
from safeconvert.prove.kernel.node import Node
from safeconvert.prove.kernel.terms import Refused, Store


def product(store: Store, one: Value, two: Value) -> Value:
    """one·two, broadcast to each other, constant factors drawn out in front."""
    AXIOM.use(store)
    shape = joint(one.shape, two.shape)
    apart = [normalised(store, value) for value in (one, two)]
    (first, left), (second, right) = sorted(apart, key=lambda found: stripped(found[0]).term.number)
    core, other = stripped(first), stripped(second)
    axes, sizes, groups = paired(core, other)
    made = broadcast(store, Value(store.term("mul", sizes, (core.term, other.term), axes), groups), shape)
    return scale(store, made, onto(left, first, made) * onto(right, second, made))


def _mul(n: Node) -> list[Value]:
    only_floating(n)
    one, two = n.operands
    if isinstance(one, Value) and isinstance(two, Value):
        return [product(n.store, one, two)]
    value, index = mixed(n)
    AXIOM.use(n.store)
    value = broadcast(n.store, value, n.shape)
    return [scale(n.store, value, along(n.real(1 - index), value))]


def _div(n: Node) -> list[Value]:
    only_floating(n)
    AXIOM.use(n.store)
    if isinstance(n.operands[1], Value):
        inverse = unary(n.store, "Reciprocal", n.value(1))
        if isinstance(n.operands[0], Value):
            return [product(n.store, n.value(), inverse)]
        inverse = broadcast(n.store, inverse, n.shape)
        return [scale(n.store, inverse, along(n.real(0), inverse))]
    value = broadcast(n.store, n.value(), n.shape)
    with np.errstate(divide="ignore"):
        return [scale(n.store, value, along(1 / n.real(1), value))]  # of zero: no finite constant


def _neg(n: Node) -> list[Value]:
    only_floating(n)
    AXIOM.use(n.store)
    return [scale(n.store, n.value(), -1.0)]


def _pow(n: Node) -> list[Value]:
    only_floating(n)
    exponent = n.constant(1)
    if exponent is None or exponent.size != 1 or exponent.ndim > len(n.value().groups):
        raise Refused("Pow: its exponent is not one number")
    AXIOM.use(n.store)
    match exponent.item():
        case 2 | 3:
            square = product(n.store, n.value(), n.value())
            return [square if exponent.item() == 2 else product(n.store, square, n.value())]
        case 0.5:
            return [unary(n.store, "Sqrt", n.value())]
        case -0.5:
            return [unary(n.store, "Reciprocal", unary(n.store, "Sqrt", n.value()))]
        case -1:
            return [unary(n.store, "Reciprocal", n.value())]
    raise Refused(f"Pow: its exponent is {exponent.item()}")


AXIOM = Axiom(
    "products",
    "a·b = b·a; (s·a)·(t·b) = st·(a·b) for constants s and t; a/b = a·(1/b); -a = (-1)·a; a² = a·a; a³ = (a·a)·a; a^½ = √a; a^-½ = 1/√a; a^-1 = 1/a.",
    (),
    {"Mul": _mul, "Div": _div, "Neg": _neg, "Pow": _pow},
)
