"""Zero added to integers, one multiplied with them, and truths that decide nothing."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from safeconvert.prove.axioms.axiom import Axiom, Rule
from safeconvert.prove.axioms.pairwise import pairwise
from safeconvert.prove.axioms.products import AXIOM as PRODUCTS
from safeconvert.prove.axioms.spreading import spread
from safeconvert.prove.axioms.sums import AXIOM as SUMS
from safeconvert.prove.kernel.layout import Value
from safeconvert.prove.kernel.node import Node
from safeconvert.prove.kernel.terms import Refused

_NOTHING = "the constant is the neutral one"
_NUMBERS: Mapping[str, tuple[int, bool]] = {
    "Add": (0, True), "Sub": (0, False), "Mul": (1, True), "Div": (1, False), "And": (1, True), "Or": (0, True),
}  # fmt: skip
"""By operator what changes nothing, and whether also as the first operand."""
_ELSE: Mapping[str, Rule] = {"And": pairwise, "Or": pairwise}


def _rule(operator: str) -> Rule:
    floating = {**SUMS.operators, **PRODUCTS.operators}.get(operator)

    def rule(n: Node) -> list[Value]:
        if n.floating and floating is not None:
            return floating(n)
        number, either = _NUMBERS[operator]
        index = 0 if isinstance(n.operands[0], Value) else 1
        value, array = n.value(index), n.operands[1 - index]
        if not isinstance(array, np.ndarray) or (index and not either):
            raise Refused(f"{operator}: of no constant")
        if not AXIOM.holds(n.store, _NOTHING, bool((array == number).all())):
            raise Refused(f"{operator}: of a constant that changes something")
        AXIOM.use(n.store)
        return [spread(n.store, value, n.shape)]

    def or_else(n: Node) -> list[Value]:
        try:
            return rule(n)
        except Refused:
            if operator not in _ELSE:
                raise
            return _ELSE[operator](n)

    return or_else


AXIOM = Axiom(
    "neutral elements",
    "i + 0 = 0 + i = i - 0 = 1·i = i·1 = i / 1 = i for integers, p and true = p or false = p for truths, broadcast where the constant is larger.",
    (_NOTHING,),
    {operator: _rule(operator) for operator in _NUMBERS},
)
