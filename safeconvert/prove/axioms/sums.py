"""Add and Sub."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from safeconvert.prove.axioms.affine import affine, parts, scale
from safeconvert.prove.axioms.axiom import Axiom
from safeconvert.prove.axioms.operands import mixed, only_floating
from safeconvert.prove.kernel.layout import Value, along, paired
from safeconvert.prove.kernel.node import Node
from safeconvert.prove.kernel.terms import Array, Store


def total(store: Store, one: Value, two: Value) -> Value:
    """one + two, broadcast to each other, offsets drawn out behind the sum."""
    AXIOM.use(store)
    apart = [_without_offset(store, value) for value in (one, two)]
    (core, *first), (other, *second) = sorted(apart, key=lambda found: found[0].term.number)
    axes, shape, groups = paired(core, other)
    made = store.term("add", shape, (core.term, other.term), axes)
    own = range(len(core.term.shape))
    pairs = zip(first, second, strict=True)
    offset, size = (_moved(a, own, len(shape)) + _moved(b, axes, len(shape)) for a, b in pairs)
    return Value(affine(store, made, 1.0, offset, size), groups)


def _without_offset(store: Store, value: Value) -> tuple[Value, Array, Array]:
    core, factor, offset, size = parts(value.term)
    if not offset.any():
        return value, offset, size
    return Value(affine(store, core, factor), value.groups), offset, size


def _moved(array: Array, axes: Sequence[int], rank: int) -> Array:
    """A constant of an operand's axes as one of the result's: its axis `n` lies at `axes[n]`, all others have length 1."""
    shape = [1] * rank
    for size, axis in zip(array.shape, axes, strict=True):
        shape[axis] = size
    return (array.transpose(np.argsort(axes)) if len(axes) else array).reshape(shape)


def _sum(sign: float) -> Callable[[Node], list[Value]]:
    def rule(n: Node) -> list[Value]:
        only_floating(n)
        one, two = n.operands
        if isinstance(one, Value) and isinstance(two, Value):
            return [total(n.store, one, scale(n.store, two, sign))]
        value, place = mixed(n)
        AXIOM.use(n.store)
        array = along(n.real(1 - place), value)
        factor, offset = (1.0, sign * array) if place == 0 else (sign, array)
        return [Value(affine(n.store, value.term, factor, offset), value.groups)]

    return rule


AXIOM = Axiom(
    "sums",
    "a + b = b + a; a - b = a + (-1)·b; (a + b) + (c + d) = (a + c) + (b + d) for constants b and d.",
    (),
    {"Add": _sum(1.0), "Sub": _sum(-1.0)},
)
