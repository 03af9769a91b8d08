"""Add, Sub, Sum and Mean."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from safeconvert.prove.axioms.affine import affine, broadcast, normalised, parts, scale
from safeconvert.prove.axioms.axiom import Axiom
from safeconvert.prove.axioms.mixtures import mixture
from safeconvert.prove.axioms.operands import factors, laid, mixed, only_floating, onto, regrouped
from safeconvert.prove.axioms.products import product
from safeconvert.prove.axioms.spreading import joint, stripped
from safeconvert.prove.kernel.layout import Value, along, paired
from safeconvert.prove.kernel.node import Node
from safeconvert.prove.kernel.terms import Array, Refused, Store, Term

_EXACT = 2.0**-48
"""Relative; 16 roundings of float64, in which factors are computed here. Counted as a difference of constants."""
_MULTIPLE = "a factor that varies is a multiple of the other"
_PLACES = "the common factor lies along the same axes in both products"


def total(store: Store, one: Value, two: Value) -> Value:
    """one + two, broadcast to each other: offsets drawn out behind the sum, what both are multiplied with in front of it."""
    AXIOM.use(store)
    shape = joint(one.shape, two.shape)
    for nothing, value in ((one, two), (two, one)):
        _, factor, offset, size = parts(nothing.term)
        if not factor.any():
            made = broadcast(store, value, shape)
            return Value(
                affine(store, made.term, 1.0, onto(offset, nothing, made), onto(size, nothing, made)), made.groups
            )
    apart = [_apart(store, value) for value in (one, two)]
    (first, left, *ours), (second, right, *theirs) = sorted(apart, key=lambda found: stripped(found[0]).term.number)
    common, ratio = _proportion(store, first, left, second, right)
    if common is None:
        first, second = scale(store, first, left), scale(store, second, right)
        common, ratio = np.ones_like(left), np.ones_like(right)
    made = broadcast(store, _added(store, stripped(first), _scaled(store, second, ratio)), shape)
    factor = onto(common, first, made)
    offset, size = (onto(a, first, made) + onto(b, second, made) for a, b in zip(ours, theirs, strict=True))
    return Value(affine(store, made.term, factor, offset, size), made.groups)


def _apart(store: Store, value: Value) -> tuple[Value, Array, Array, Array]:
    """A value as another one times a factor plus an offset, and the magnitude of what that was summed from."""
    core, factor, offset, size = parts(value.term)
    rest, number = normalised(store, Value(affine(store, core, factor), value.groups))
    return rest, number, offset, size


def _proportion(store: Store, first: Value, left: Array, second: Value, right: Array) -> tuple[Array | None, Array]:
    """What both operands are multiplied with, and what is left of the second's factor; None where there is nothing but themselves."""
    if left.size == 1 and left.item() != 0:
        return left, right / left.item()
    _, shape, groups = paired(first, second)
    frame = Value(Term(-1, "frame", (), (), (), shape), groups)
    ours, theirs = onto(left, first, frame), onto(right, second, frame)
    if ours.shape != theirs.shape or not ours.any():
        return None, right
    index = np.unravel_index(np.abs(ours).argmax(), ours.shape)
    number = theirs[index] / ours[index]
    with np.errstate(invalid="ignore", divide="ignore"):
        apart = float(np.where(theirs == number * ours, 0.0, np.abs(theirs / (number * ours) - 1)).max())
    if AXIOM.holds(store, _MULTIPLE, apart <= _EXACT):
        store.apart += apart if apart <= _EXACT else 0.0
        return left, np.full((1,) * right.ndim, number)
    return None, right


def _scaled(store: Store, value: Value, ratio: Array) -> Value:
    scaled = scale(store, value, ratio)
    core, factor, _, _ = parts(scaled.term)
    if factor.size == 1:
        return scale(store, stripped(Value(core, scaled.groups)), factor.item())
    return scaled


def _added(store: Store, one: Value, two: Value) -> Value:
    """The sum; (a·q) + n·(b·q) as (a + n·b)·q."""
    axes, shape, groups = paired(one, two)
    core, number, _, _ = parts(two.term)
    mixed_up = mixture(store, (one, Value(core, two.groups)), number, (axes, shape, groups), total)
    if mixed_up is not None:
        return mixed_up
    if one.term.operator == core.operator == "mul" and number.size == 1:
        for (a, indices), (common, at) in factors(one.term, tuple(range(len(one.term.shape)))):
            for (b, others), (also, there) in factors(core, axes):
                if common is also and AXIOM.holds(store, _PLACES, at == there):
                    rank = len(shape)
                    inner = total(store, laid(a, indices, rank), scale(store, laid(b, others, rank), number.item()))
                    return regrouped(product(store, inner, laid(common, at, rank)), groups)
    return Value(store.term("add", shape, (one.term, two.term), axes), groups)


def _sum(sign: float) -> Callable[[Node], list[Value]]:
    def rule(n: Node) -> list[Value]:
        only_floating(n)
        one, two = n.operands
        if isinstance(one, Value) and isinstance(two, Value):
            return [total(n.store, one, scale(n.store, two, sign))]
        value, index = mixed(n)
        AXIOM.use(n.store)
        value = broadcast(n.store, value, n.shape)
        array = along(n.real(1 - index), value)
        factor, offset = (1.0, sign * array) if index == 0 else (sign, array)
        return [Value(affine(n.store, value.term, factor, offset), value.groups)]

    return rule


def _several(mean: bool) -> Callable[[Node], list[Value]]:
    def rule(n: Node) -> list[Value]:
        only_floating(n)
        values = [operand for operand in n.operands if isinstance(operand, Value)]
        arrays = [n.real(index) for index, operand in enumerate(n.operands) if not isinstance(operand, Value)]
        if len(values) + len(arrays) != len(n.operands) or not values:
            raise Refused(f"{n.operator[1]}: of constants")
        AXIOM.use(n.store)
        made = values[0]
        for value in values[1:]:
            made = total(n.store, made, value)
        made = broadcast(n.store, made, n.shape)
        for array in arrays:
            made = Value(affine(n.store, made.term, 1.0, along(array, made)), made.groups)
        return [scale(n.store, made, 1 / len(n.operands) if mean else 1.0)]

    return rule


AXIOM = Axiom(
    "sums",
    "a + b = b + a; a - b = a + (-1)·b; (a + b) + (c + d) = (a + c) + (b + d) for constants b and d; s·a + t·b = s·(a + (t/s)·b) for a number s "
    "other than 0, and for an s of which t is a multiple; 0·a + b = b; a·q + n·(b·q) = (a + n·b)·q for a number n.",
    (_MULTIPLE, _PLACES),
    {"Add": _sum(1.0), "Sub": _sum(-1.0), "Sum": _several(mean=False), "Mean": _several(mean=True)},
)
