"""Operators on pairs of elements that are taken as they are."""

from __future__ import annotations

from safeconvert.prove.axioms.affine import broadcast
from safeconvert.prove.axioms.axiom import Axiom
from safeconvert.prove.axioms.spreading import joint, stripped
from safeconvert.prove.kernel.layout import Value, constant, paired
from safeconvert.prove.kernel.node import Node
from safeconvert.prove.kernel.terms import Refused

_BROADCASTS = 7
"""The version since which operands are broadcast to each other; later ones only take more types."""
_EITHER = "the operator is the same in both orders"
_EITHER_ORDER = {"Max", "Min", "Equal", "And", "Or", "Xor"}


def pairwise(n: Node) -> list[Value]:
    """An operator on two tensors, broadcast to each other."""
    if len(n.operands) != 2 or any(operand is None for operand in n.operands):
        raise Refused(f"{n.operator[1]}: of other than two operands")
    one, two = (o if isinstance(o, Value) else constant(n.store, o) for o in n.operands if o is not None)
    shape = joint(one.shape, two.shape)
    one, two = stripped(one), stripped(two)
    AXIOM.use(n.store)
    if AXIOM.holds(n.store, _EITHER, n.operator[1] in _EITHER_ORDER) and two.term.number < one.term.number:
        one, two = two, one
    axes, sizes, groups = paired(one, two)
    settings = (min(n.operator[2], _BROADCASTS), tuple(sorted(n.attributes.items())), axes)
    made = n.store.term(n.operator[1], sizes, (one.term, two.term), settings)
    return [broadcast(n.store, Value(made, groups), shape)]


AXIOM = Axiom(
    "operators on pairs",
    "An operator on pairs of elements commutes with any order of axes that both tensors share, and with broadcasting; max, min, equality, and, or "
    "are the same in both orders.",
    (_EITHER,),
    dict.fromkeys(("Less", "LessOrEqual", "Greater", "GreaterOrEqual", "Equal", "And", "Or", "Xor", "Mod"), pairwise),
)
