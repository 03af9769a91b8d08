"""Sums, means and extremes over whole axes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from safeconvert.prove.axioms.affine import affine, only_along, parts
from safeconvert.prove.axioms.axiom import Axiom
from safeconvert.prove.axioms.operands import only_floating
from safeconvert.prove.kernel.layout import Groups, Value
from safeconvert.prove.kernel.node import Node
from safeconvert.prove.kernel.terms import Array, Refused, Store

_CONSTANT = "the factor does not vary along what is summed"


def mean(store: Store, value: Value, axes: Sequence[int], keep: bool, count: int) -> Value:
    """The sum over whole axes of a tensor, divided by a number; linear in what is summed."""
    AXIOM.use(store)
    gone, groups = _without(value, axes, keep)
    core, s, b, m = parts(value.term)
    kept = [a for a in range(len(core.shape)) if a not in gone]
    if not AXIOM.holds(store, _CONSTANT, only_along(s, kept)):
        core, s = affine(store, core, s), np.ones_like(s)
    made = store.term("sum", [core.shape[a] for a in kept], (core,), (tuple(gone),)) if gone else core

    def summed(array: Array) -> Array:
        full = np.broadcast_to(array, [core.shape[a] if a in gone else size for a, size in enumerate(array.shape)])
        return np.asarray(full.sum(axis=tuple(gone)))

    factor = s[tuple(0 if a in gone else slice(None) for a in range(s.ndim))]
    return Value(affine(store, affine(store, made, factor, summed(b), summed(m)), 1 / count), groups)


def averaged(store: Store, value: Value, axes: Sequence[int]) -> Value:
    """The mean over whole axes, which stay with a length of 1."""
    return mean(store, value, axes, True, math.prod(value.shape[axis] for axis in axes))


def extreme(store: Store, operator: str, value: Value, axes: Sequence[int], keep: bool) -> Value:
    """The largest, smallest or product of the numbers along whole axes of a tensor."""
    AXIOM.use(store)
    gone, groups = _without(value, axes, keep)
    shape = [size for axis, size in enumerate(value.term.shape) if axis not in gone]
    return Value(store.term(operator, shape, (value.term,), (tuple(gone),)) if gone else value.term, groups)


def _without(value: Value, axes: Sequence[int], keep: bool) -> tuple[list[int], Groups]:
    """The canonical axes that are gone, and the groups of what remains."""
    gone = sorted(axis for index in axes for axis in value.groups[index])
    indices = {old: new for new, old in enumerate(a for a in range(len(value.term.shape)) if a not in gone)}
    rest = [(n, group) for n, group in enumerate(value.groups) if keep or n not in axes]
    return gone, tuple(() if n in axes else tuple(indices[a] for a in group) for n, group in rest)


def _reduced(kind: str) -> Callable[[Node], list[Value]]:
    def rule(n: Node) -> list[Value]:
        only_floating(n)
        value, given = n.value(), n.constant(1)
        axes = n.attributes.get("axes") or (() if given is None else tuple(int(a) for a in given.reshape(-1)))
        if not axes and n.attributes.get("noop_with_empty_axes", 0):
            raise Refused("a reduction over nothing")
        gone = sorted({axis % len(value.groups) for axis in axes or range(len(value.groups))})
        keep = bool(n.attributes.get("keepdims", 1))
        if kind in ("sum", "mean"):
            count = math.prod(value.shape[a] for a in gone) if kind == "mean" else 1
            return [mean(n.store, value, gone, keep, count)]
        return [extreme(n.store, kind, value, gone, keep)]

    return rule


def _global(kind: str) -> Callable[[Node], list[Value]]:
    def rule(n: Node) -> list[Value]:
        gone = range(2, len(n.value().groups))
        if kind == "mean":
            return [mean(n.store, n.value(), gone, True, math.prod(n.value().shape[2:]))]
        return [extreme(n.store, kind, n.value(), gone, True)]

    return rule


AXIOM = Axiom(
    "reductions over whole axes",
    "mean = sum/n; Σ(s·x + b) = s·Σx + Σb for s that does not vary along the sum; GlobalAveragePool and GlobalMaxPool are the mean and the "
    "maximum over all axes behind the second.",
    (_CONSTANT,),
    {"ReduceSum": _reduced("sum"), "ReduceMean": _reduced("mean"), "ReduceMax": _reduced("max"), "ReduceMin": _reduced("min"),
     "ReduceProd": _reduced("prod"), "GlobalAveragePool": _global("mean"), "GlobalMaxPool": _global("max")},
)  # fmt: skip
