"""What axioms ask of a node's operands."""

from __future__ import annotations

from safeconvert.prove.kernel.layout import Value
from safeconvert.prove.kernel.node import Node
from safeconvert.prove.kernel.terms import Refused


def only_floating(n: Node) -> None:
    """Raises Refused where the first output holds integers, which wrap around and are divided otherwise."""
    if not n.floating:
        raise Refused(f"{n.operator[1]}: of integers")


def mixed(n: Node) -> tuple[Value, int]:
    """Of two operands, one of which is constant, the value and its place. Raises Refused for others."""
    place = 0 if isinstance(n.operands[0], Value) else 1
    n.constant(1 - place)
    return n.value(place), place
