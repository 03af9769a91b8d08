"""Sums, means and extremes over whole axes.

Identities: mean = sum/n; Σ(s·x) = s·Σx and Σ(x + b) = Σx + n·b for constants (s not varying along the sum); GlobalAveragePool is a mean and
GlobalMaxPool a maximum over all axes behind the second; an AveragePool or MaxPool whose one window covers everything is a global one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from safeconvert.prove.search.forms.affine import parts, scale, shift
from safeconvert.prove.search.step import Step
from safeconvert.prove.search.terms import TermStore
from safeconvert.prove.search.values import Value


def reduction(step: Step) -> list[Value] | None:
    """ReduceSum, ReduceMean, ReduceMax, ReduceMin, ReduceProd, with axes as attribute (before opset 18) or as constant."""
    value = step.value(0)
    if value is None or (step.node.op_type == "ReduceMean" and not step.floating):
        return None
    rank = len(value.groups)
    given = step.constant(1)
    if len(step.operands) > 1 and step.node.input[1] and given is None:
        return None
    axes = [int(axis) for axis in given.reshape(-1)] if given is not None else step.attributes.get("axes")
    if not axes:
        if step.attributes.get("noop_with_empty_axes", 0):
            return None
        axes = list(range(rank))
    return [_reduced(step.store, step.node.op_type, value, axes, bool(step.attributes.get("keepdims", 1)))]


def global_pool(step: Step) -> list[Value] | None:
    """GlobalAveragePool, GlobalMaxPool."""
    value = step.value(0)
    if value is None:
        return None
    operator = "ReduceMean" if step.node.op_type == "GlobalAveragePool" else "ReduceMax"
    return [_reduced(step.store, operator, value, range(2, len(value.groups)), True)]


def reduced(store: TermStore, operator: str, value: Value, axes: Sequence[int]) -> Value:
    """A reduction that keeps the axes at length 1."""
    return _reduced(store, operator, value, axes, True)


def _reduced(store: TermStore, operator: str, value: Value, axes: Sequence[int], keep: bool) -> Value:
    over = {axis % len(value.groups) for axis in axes}
    gone = tuple(sorted(axis for place in over for axis in value.groups[place]))
    places = {axis: new for new, axis in enumerate(a for a in range(len(value.term.shape)) if a not in gone)}
    groups = tuple(
        () if number in over else tuple(places[axis] for axis in group)
        for number, group in enumerate(value.groups)
        if keep or number not in over
    )
    if operator in ("ReduceSum", "ReduceMean"):
        return _summed(store, value, gone, groups, operator == "ReduceMean")
    shape = [size for axis, size in enumerate(value.term.shape) if axis not in gone]
    if not gone:
        return Value(value.term, groups)
    return Value(store.term(operator, shape, (value.term.number,), (gone,)), groups)


def _summed(
    store: TermStore, value: Value, gone: tuple[int, ...], groups: tuple[tuple[int, ...], ...], mean: bool
) -> Value:
    count = math.prod(value.term.shape[axis] for axis in gone)
    core, factor, offset = parts(store, value.term)
    if factor is not None and any(factor.shape[axis] != 1 for axis in gone):
        core, factor = store.terms[value.term.operands[0]] if offset is not None else value.term, None
    shape = [size for axis, size in enumerate(core.shape) if axis not in gone]
    made = Value(store.term("ReduceSum", shape, (core.number,), (gone,)) if gone else core, groups)
    if factor is not None:
        made = scale(made, store, factor.reshape([s for axis, s in enumerate(factor.shape) if axis not in gone]))
    if offset is not None:
        repeated = np.broadcast_to(offset, [core.shape[a] if a in gone else s for a, s in enumerate(offset.shape)])
        made = shift(made, store, repeated.sum(axis=gone) if gone else offset)
    return scale(made, store, 1.0 / count) if mean else made
