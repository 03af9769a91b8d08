"""Products of two computed tensors: MatMul.

Identities: the axes that are summed, those that run along and those that are free are what counts, not the order in which a graph holds them; numbers
in front are drawn out: (s·a)·(t·b) = st·(a·b).
"""

from __future__ import annotations

import numpy as np

from safeconvert.prove.search.forms.affine import WEIGHTED, parts, scale, scaled
from safeconvert.prove.search.refine import base_of, refined
from safeconvert.prove.search.step import Step
from safeconvert.prove.search.terms import TermStore
from safeconvert.prove.search.values import Groups, Value


def matrix_product(step: Step) -> list[Value] | None:
    """MatMul of two computed tensors of at least two axes."""
    one, two = step.value(0), step.value(1)
    if one is None or two is None or min(len(one.groups), len(two.groups)) < 2:
        return None
    (one, left), (two, right) = _without_number(step.store, one), _without_number(step.store, two)
    made = _dot(step.store, one, two)
    return None if made is None else [scale(made, step.store, left * right)]


def _dot(store: TermStore, one: Value, two: Value) -> Value | None:
    rank = max(len(one.groups), len(two.groups))
    ours: Groups = ((),) * (rank - len(one.groups)) + one.groups
    theirs: Groups = ((),) * (rank - len(two.groups)) + two.groups
    summed = _pairs(one, two, ours[-1], theirs[-2])
    if summed is None:
        return None
    along: list[tuple[int, int]] = []
    for left, right in zip(ours[:-2], theirs[:-2], strict=True):
        if not left or not right:
            continue  # broadcast: free in the one that has it
        found = _pairs(one, two, left, right)
        if found is None:
            return None
        along += found
    swap = two.term.number < one.term.number
    first, second = (two, one) if swap else (one, two)
    if swap:
        summed, along = [(b, a) for a, b in summed], [(b, a) for a, b in along]
    bound_first = {a for a, _ in summed + along}
    bound_second = {b for _, b in summed + along}
    along = sorted(along)
    free_first = [a for a in range(len(first.term.shape)) if a not in bound_first]
    free_second = [b for b in range(len(second.term.shape)) if b not in bound_second]
    shape = (
        [first.term.shape[a] for a, _ in along]
        + [first.term.shape[a] for a in free_first]
        + [second.term.shape[b] for b in free_second]
    )
    place_first = {a: n for n, (a, _) in enumerate(along)} | {a: len(along) + n for n, a in enumerate(free_first)}
    place_second = {b: n for n, (_, b) in enumerate(along)} | {
        b: len(along) + len(free_first) + n for n, b in enumerate(free_second)
    }
    place_one, place_two = (place_second, place_first) if swap else (place_first, place_second)
    groups = [
        tuple(place_one[a] for a in left) if left else tuple(place_two[b] for b in right)
        for left, right in zip(ours[:-2], theirs[:-2], strict=True)
    ]
    groups.append(tuple(place_one[a] for a in ours[-2]))
    groups.append(tuple(place_two[b] for b in theirs[-1]))
    setting = (tuple(sorted(summed)), tuple(along))
    return Value(store.term("dot", shape, (first.term.number, second.term.number), setting), tuple(groups))


def _pairs(one: Value, two: Value, left: tuple[int, ...], right: tuple[int, ...]) -> list[tuple[int, int]] | None:
    if [one.term.shape[a] for a in left] != [two.term.shape[b] for b in right]:
        return None
    return list(zip(left, right, strict=True))


def _without_number(store: TermStore, value: Value) -> tuple[Value, float]:
    """A value without the number in front of it: what it is multiplied with, or the largest weight of what it is linear in.

    So a factor that one converter folded into the weights of the one operand and another into the other's is the same factor.
    """
    base, cuts = base_of(store, value.term)
    core, factor, _ = parts(store, base)
    number = 1.0
    if factor is not None and factor.size == 1:
        number = float(factor.reshape(-1)[0])
    elif factor is None and core.operator in WEIGHTED:
        number = float(np.abs(core.constants[0]).max(initial=0.0))
    if number in (0.0, 1.0) or not np.isfinite(number):
        return value, 1.0
    whole = scaled(store, base, 1.0 / number)
    return Value(whole if cuts is None else refined(store, whole, cuts), value.groups), number
