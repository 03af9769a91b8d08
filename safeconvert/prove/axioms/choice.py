"""Where."""

from __future__ import annotations

from safeconvert.prove.axioms.affine import broadcast
from safeconvert.prove.axioms.axiom import Axiom
from safeconvert.prove.kernel.layout import Value, constant, paired
from safeconvert.prove.kernel.node import Node
from safeconvert.prove.kernel.terms import Refused


def _where(n: Node) -> list[Value]:
    condition, one, two = (o if isinstance(o, Value) else constant(n.store, o) for o in n.operands if o is not None)
    if one.shape != n.shape:
        one = broadcast(n.store, one, n.shape)
    left, shape, _ = paired(one, condition)
    right, whole, groups = paired(one, two)
    if not shape == whole == one.term.shape:
        raise Refused("Where: its operands hold axes in other parts")
    AXIOM.use(n.store)
    return [Value(n.store.term("where", whole, (condition.term, one.term, two.term), (left, right)), groups)]


AXIOM = Axiom(
    "choice by element", "Where commutes with any order of axes that its three operands share.", (), {"Where": _where}
)
