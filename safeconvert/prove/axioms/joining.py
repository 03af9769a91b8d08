"""Concat."""

from __future__ import annotations

from safeconvert.prove.axioms.axiom import Axiom
from safeconvert.prove.kernel.layout import Groups, Value, constant
from safeconvert.prove.kernel.node import Node
from safeconvert.prove.kernel.terms import Refused


def _concat(n: Node) -> list[Value]:
    parts = [
        operand if isinstance(operand, Value) else constant(n.store, operand)
        for operand in n.operands
        if operand is not None
    ]
    axis = n.attributes["axis"] % len(n.shape)
    first = next((part for part in parts if part.term.operator != "constant"), parts[0])
    if any(len(part.groups[axis]) > 1 for part in parts):
        raise Refused("Concat: along an axis that is several")
    AXIOM.use(n.store)
    lead = [a for a in range(len(first.term.shape)) if a not in first.groups[axis]]
    numbers = {a: place for place, a in enumerate(lead)}
    along = tuple(_places(first, part, axis, numbers) for part in parts)
    size = n.shape[axis]
    shape = [first.term.shape[a] for a in lead] + ([size] if size != 1 else [])
    joined = (len(lead),) if size != 1 else ()
    groups: Groups = tuple(joined if n == axis else tuple(numbers[a] for a in g) for n, g in enumerate(first.groups))
    return [Value(n.store.term("concat", shape, [part.term for part in parts], along), groups)]


def _places(first: Value, part: Value, axis: int, numbers: dict[int, int]) -> tuple[int, ...]:
    """For each canonical axis of a part the axis of the whole that it lies along."""
    found = dict.fromkeys(part.groups[axis], len(numbers))
    for number, (ours, theirs) in enumerate(zip(first.groups, part.groups, strict=True)):
        if number != axis:
            if [first.term.shape[a] for a in ours] != [part.term.shape[a] for a in theirs]:
                raise Refused("Concat: parts hold an axis in other parts")
            found.update({theirs[place]: numbers[a] for place, a in enumerate(ours)})
    return tuple(found[a] for a in range(len(part.term.shape)))


AXIOM = Axiom(
    "concatenation along an axis",
    "Concat along one axis commutes with any order of the others, where all parts hold them in one order.",
    (),
    {"Concat": _concat},
)
