"""Mul, Div, Neg, and Pow with 2 and ½."""

from __future__ import annotations

import numpy as np

from safeconvert.prove.axioms.affine import parts, scale, unary
from safeconvert.prove.axioms.axiom import Axiom
from safeconvert.prove.axioms.operands import mixed, only_floating
from safeconvert.prove.kernel.layout import Value, along, paired
from safeconvert.prove.kernel.node import Node
from safeconvert.prove.kernel.terms import Refused, Store


def product(store: Store, one: Value, two: Value) -> Value:
    """one·two, broadcast to each other, single numbers drawn out in front."""
    AXIOM.use(store)
    apart = [_without_number(value) for value in (one, two)]
    (core, left), (other, right) = sorted(apart, key=lambda found: found[0].term.number)
    axes, shape, groups = paired(core, other)
    made = store.term("mul", shape, (core.term, other.term), axes)
    return scale(store, Value(made, groups), left * right)


def _without_number(value: Value) -> tuple[Value, float]:
    core, factor, offset, _ = parts(value.term)
    if factor.size != 1 or offset.any():
        return value, 1.0
    return Value(core, value.groups), float(factor.item())


def _mul(n: Node) -> list[Value]:
    only_floating(n)
    one, two = n.operands
    if isinstance(one, Value) and isinstance(two, Value):
        return [product(n.store, one, two)]
    value, place = mixed(n)
    AXIOM.use(n.store)
    return [scale(n.store, value, along(n.real(1 - place), value))]


def _div(n: Node) -> list[Value]:
    only_floating(n)
    AXIOM.use(n.store)
    if isinstance(n.operands[1], Value):
        inverse = unary(n.store, "Reciprocal", n.value(1))
        if isinstance(n.operands[0], Value):
            return [product(n.store, n.value(), inverse)]
        return [scale(n.store, inverse, along(n.real(0), inverse))]
    with np.errstate(divide="ignore"):
        return [scale(n.store, n.value(), along(1 / n.real(1), n.value()))]  # of zero: no finite constant


def _neg(n: Node) -> list[Value]:
    only_floating(n)
    AXIOM.use(n.store)
    return [scale(n.store, n.value(), -1.0)]


def _pow(n: Node) -> list[Value]:
    only_floating(n)
    exponent = n.constant(1)
    if (
        exponent is None
        or exponent.size != 1
        or exponent.ndim > len(n.value().groups)
        or exponent.item() not in (0.5, 2)
    ):
        raise Refused("Pow: its exponent is neither 2 nor 1/2")
    AXIOM.use(n.store)
    return [product(n.store, n.value(), n.value()) if exponent.item() == 2 else unary(n.store, "Sqrt", n.value())]


AXIOM = Axiom(
    "products",
    "a·b = b·a; (s·a)·(t·b) = st·(a·b) for numbers s and t; a/b = a·(1/b); -a = (-1)·a; a² = a·a; a^½ = √a.",
    (),
    {"Mul": _mul, "Div": _div, "Neg": _neg, "Pow": _pow},
)
