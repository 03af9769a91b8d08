"""Axes cut in parts: a term whose axis of 12 is read as 3 times 4.

`refine(t)` is the same numbers as `t`, so that what is done element by element to one is done to the other, and a tensor in which all parts stand
together again is the unrefined term's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from safeconvert.prove.search.terms import Array, Term, TermStore
from safeconvert.prove.search.values import Value

Parts = tuple[tuple[int, ...], ...]


def refined(store: TermStore, term: Term, parts: Parts) -> Term:
    """A term with each canonical axis cut into sizes that multiply to its own; a refined term is cut from its base."""
    if all(len(part) == 1 for part in parts):
        return term
    if term.operator == "refine":
        remaining = list(parts)
        inner = tuple(tuple(size for _ in part for size in remaining.pop(0)) for part in term.setting)
        return refined(store, store.terms[term.operands[0]], inner)
    return store.term("refine", [size for part in parts for size in part], (term.number,), parts)


def base_of(store: TermStore, term: Term) -> tuple[Term, Parts | None]:
    """The term that was cut, and into what; None for one that is whole."""
    if term.operator != "refine":
        return term, None
    return store.terms[term.operands[0]], term.setting


def coarsened(store: TermStore, value: Value) -> Value:
    """A value of the whole term, where all parts of every cut axis stand together and in order; else as it is."""
    base, parts = base_of(store, value.term)
    if parts is None:
        return value
    starts: dict[int, tuple[int, int]] = {}
    axis = 0
    for number, part in enumerate(parts):
        starts[axis] = (number, len(part))
        axis += len(part)
    groups = []
    for group in value.groups:
        merged, place = [], 0
        while place < len(group):
            found = starts.get(group[place])
            if found is None or group[place : place + found[1]] != tuple(range(group[place], group[place] + found[1])):
                return value
            merged.append(found[0])
            place += found[1]
        groups.append(tuple(merged))
    return Value(base, tuple(groups))


def cut(store: TermStore, value: Value, shape: Sequence[int]) -> Value | None:
    """A value in another shape, its axes cut where the shape asks for it; None where the sizes do not divide each other."""
    sequence = [(axis, value.term.shape[axis]) for group in value.groups for axis in group]
    if math.prod(size for _, size in sequence) != math.prod(shape):
        return None
    pieces: list[tuple[int, int]] = []
    wanted = [size for size in shape if size != 1]
    room = wanted.pop(0) if wanted else 1
    for axis, size in sequence:
        left = size
        while left > 1:
            step = min(left, room)
            if left % step or room % step:
                return None
            pieces.append((axis, step))
            left //= step
            room //= step
            if room == 1 and wanted:
                room = wanted.pop(0)
    parts = tuple(tuple(size for a, size in pieces if a == axis) for axis in range(len(value.term.shape)))
    first = [sum(len(part) for part in parts[:axis]) for axis in range(len(parts))]
    used = [0] * len(parts)
    order = []
    for axis, _ in pieces:
        order.append(first[axis] + used[axis])
        used[axis] += 1
    groups, place = [], 0
    for size in shape:
        start, held = place, 1
        while held < size:
            held *= pieces[place][1]
            place += 1
        groups.append(tuple(order[start:place]))
    return coarsened(store, Value(refined(store, value.term, parts), tuple(groups)))


def merged(array: Array, parts: Parts) -> Array | None:
    """A constant of the finer axes as one of the whole axes; None where it varies along one part of an axis only."""
    shape, place = [], 0
    for part in parts:
        given = array.shape[place : place + len(part)]
        place += len(part)
        if all(size == 1 for size in given):
            shape.append(1)
        elif given == tuple(part):
            shape.append(math.prod(part))
        else:
            return None
    return array.reshape(shape)
