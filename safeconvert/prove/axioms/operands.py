"""What axioms ask of a node's operands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from safeconvert.prove.kernel.layout import Groups, Value
from safeconvert.prove.kernel.node import Node
from safeconvert.prove.kernel.terms import Array, Refused, Term

Operand = tuple[Term, tuple[int, ...]]
"""A factor of a product, and where its axes lie in a result."""


def only_floating(n: Node) -> None:
    """Raises Refused where the first output holds integers, which wrap around and are divided otherwise."""
    if not n.floating:
        raise Refused(f"{n.operator[1]}: of integers")


def mixed(n: Node) -> tuple[Value, int]:
    """Of two operands, one of which is constant, the value and its place. Raises Refused for others."""
    index = 0 if isinstance(n.operands[0], Value) else 1
    n.constant(1 - index)
    return n.value(index), index


def onto(array: Array, value: Value, result: Value) -> Array:
    """A constant of a value's canonical axes as one of a result's that the value is broadcast to. Raises Refused where these lie otherwise."""
    groups = ((),) * (len(result.groups) - len(value.groups)) + value.groups
    found: dict[int, int] = {}
    for ours, theirs in zip(groups, result.groups, strict=True):
        if ours and [value.term.shape[a] for a in ours] != [result.term.shape[a] for a in theirs]:
            raise Refused("a result holds an axis in other parts")
        found.update(zip(ours, theirs, strict=False))
    shape = [1] * len(result.term.shape)
    for axis, size in enumerate(array.shape):
        shape[found[axis]] = size
    order = sorted(range(array.ndim), key=lambda axis: found[axis])
    return (array.transpose(order) if order else array).reshape(shape)


def factors(term: Term, axes: tuple[int, ...]) -> Iterator[tuple[Operand, Operand]]:
    """Both factors of a product whose axes lie in a result as given, in both orders."""
    one, two = term.operands
    first = (one, axes[: len(one.shape)])
    second = (two, tuple(axes[axis] for axis in term.setting))
    yield first, second
    yield second, first


def laid(term: Term, places: Sequence[int], rank: int) -> Value:
    """A term as a tensor of so many axes, each of its own in one of these."""
    groups: list[tuple[int, ...]] = [()] * rank
    for own, place in enumerate(places):
        groups[place] = (own,)
    return Value(term, tuple(groups))


def regrouped(value: Value, groups: Groups) -> Value:
    """A tensor whose axes are merged in groups."""
    return Value(value.term, tuple(tuple(a for axis in group for a in value.groups[axis]) for group in groups))
