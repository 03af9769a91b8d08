"""Relu, Clip, Max and Min with a number."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from safeconvert.prove.axioms.affine import parts, scale, unary, without
from safeconvert.prove.axioms.axiom import Axiom
from safeconvert.prove.axioms.operands import mixed, only_floating
from safeconvert.prove.axioms.pairwise import pairwise
from safeconvert.prove.kernel.layout import Value
from safeconvert.prove.kernel.node import Node
from safeconvert.prove.kernel.terms import Refused, Store, Term

_POSITIVE = "the number in front is positive"
_ONE = "the bound is one number"


def clipped(store: Store, value: Value, low: float, high: float) -> Value:
    """clip(value, low, high): of what is clipped already both bounds hold, and a positive number in front is drawn out."""
    AXIOM.use(store)
    term = value.term
    if term.operator == "clip":
        low, high = (min(max(float(bound), low), high) for bound in term.constants[0].values)
        return clipped(store, Value(term.operands[0], value.groups), low, high)
    _, factor, offset, _ = parts(term)
    number = float(factor.item()) if factor.size == 1 and offset.size == 1 else 1.0
    if number == 0 or not AXIOM.holds(store, _POSITIVE, number > 0):
        number = 1.0
    core = value if number == 1.0 else Value(without(store, term, number), value.groups)
    bounds = np.array([low / number, high / number])
    return scale(store, unary(store, "clip", core, (), bounds), number)


def lowest(term: Term) -> float:
    """A number that no element of a term is less than."""
    core, factor, offset, _ = parts(term)
    if core.operator != "clip" or not (factor > 0).all():
        return -math.inf
    return float((factor * core.constants[0].values[0] + offset).min())


def _relu(n: Node) -> list[Value]:
    only_floating(n)
    return [clipped(n.store, n.value(), 0.0, math.inf)]


def _clip(n: Node) -> list[Value]:
    only_floating(n)
    given = ((n.constant(1), "min", -math.inf), (n.constant(2), "max", math.inf))
    low, high = (n.attributes.get(name, end) if c is None else float(c.item()) for c, name, end in given)
    return [clipped(n.store, n.value(), low, high)]


def _bound(lower: bool) -> Callable[[Node], list[Value]]:
    def rule(n: Node) -> list[Value]:
        only_floating(n)
        if len(n.operands) == 1:
            return [n.value()]
        if len(n.operands) != 2:
            raise Refused("more than two operands")
        if all(isinstance(operand, Value) for operand in n.operands):
            return pairwise(n)
        value, index = mixed(n)
        array = n.real(1 - index)
        AXIOM.require(n.store, _ONE, array.size == 1)
        if array.ndim > len(value.groups):
            raise Refused("a bound with more axes than what it bounds")
        number = float(array.reshape(-1)[0])
        return [clipped(n.store, value, *((number, math.inf) if lower else (-math.inf, number)))]

    return rule


AXIOM = Axiom(
    "clips",
    "relu(x) = clip(x, 0, ∞); max(x, c) = clip(x, c, ∞); clip(clip(x, a, b), c, d) = clip(x, clip(a, c, d), clip(b, c, d)); "
    "clip(s·x, a, b) = s·clip(x, a/s, b/s) for a number s > 0.",
    (_POSITIVE, _ONE),
    {"Relu": _relu, "Clip": _clip, "Max": _bound(True), "Min": _bound(False)},
)
