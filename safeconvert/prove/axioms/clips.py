"""Relu, Clip, Max and Min with a number."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from safeconvert.prove.axioms.affine import parts, scale, unary, without
from safeconvert.prove.axioms.axiom import Axiom
from safeconvert.prove.axioms.operands import mixed, only_floating
from safeconvert.prove.axioms.pairwise import pairwise
from safeconvert.prove.axioms.weights import WEIGHTED
from safeconvert.prove.kernel.layout import Value
from safeconvert.prove.kernel.node import Node
from safeconvert.prove.kernel.terms import Refused, Store, Term

_ROUNDED = 2.0**-20
"""As near as the largest weight comes to one where it was divided by itself."""
_POSITIVE = "the number in front is positive"
_ONE = "the bound is one number"


def clipped(store: Store, value: Value, low: float, high: float) -> Value:
    """clip(value, low, high): of what is clipped already both bounds hold, and a positive number in front is drawn out."""
    AXIOM.use(store)
    term = value.term
    if term.operator == "clip":
        low, high = (min(max(float(bound), low), high) for bound in term.constants[0].values)
        return clipped(store, Value(term.operands[0], value.groups), low, high)
    number = _in_front(term, low, high)
    if number in (0.0, 1.0) or not AXIOM.holds(store, _POSITIVE, number > 0):
        return unary(store, "clip", value, (), np.array([low, high]))
    core = Value(without(store, term, number), value.groups)
    return scale(store, clipped(store, core, low / number, high / number), number)


def _in_front(term: Term, low: float, high: float) -> float:
    """The number in front of what is clipped; of a product with weights, into which it went, the largest of these, where bounds are not as good at any size."""
    core, factor, offset, _ = parts(term)
    if core.operator in WEIGHTED and bool((factor == 1).all()):
        if {low, high} <= {-math.inf, 0.0, math.inf}:
            return 1.0
        largest = float(np.abs(core.constants[0].values).max(initial=0.0))
        return 1.0 if abs(largest - 1) <= _ROUNDED else largest
    return float(factor.item()) if factor.size == 1 and offset.size == 1 else 1.0


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
