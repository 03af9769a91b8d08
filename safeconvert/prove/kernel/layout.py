"""How a tensor holds the axes of a term: for each of its axes the canonical axes that are merged in it, in order.

Transposes permute these groups and reshapes regroup them, cutting an axis in parts where they must (`refine`): neither is an operator here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np

from safeconvert.prove.kernel.terms import Array, Constant, Refused, Store, Term

Groups = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, eq=False)
class Value:
    """A tensor: a term, and the groups of its axes, which hold every canonical axis once."""

    term: Term
    groups: Groups

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes of the tensor's axes."""
        return tuple(math.prod(self.term.shape[axis] for axis in group) for group in self.groups)


def canonical(shape: Sequence[int]) -> tuple[tuple[int, ...], Groups]:
    """Sizes and groups of a tensor in plain order."""
    indices = accumulate((size != 1 for size in shape), initial=0)
    groups = tuple((index,) if size != 1 else () for size, index in zip(shape, indices, strict=False))
    return tuple(size for size in shape if size != 1), groups


def constant(store: Store, array: Array) -> Value:
    """A constant as a value."""
    sizes, groups = canonical(array.shape)
    return Value(store.term("constant", sizes, constants=[Constant(array.reshape(sizes))]), groups)


def transposed(store: Store, value: Value, order: Sequence[int]) -> Value:
    """The value with its axes in another order."""
    return _whole(store, Value(value.term, tuple(value.groups[axis] for axis in order)))


def refined(store: Store, term: Term, parts: Sequence[Sequence[int]]) -> Term:
    """A term with each axis cut into sizes that multiply to its own; a cut term is cut from its whole."""
    if all(len(part) == 1 for part in parts):
        return term
    if term.operator == "refine":
        rest = list(parts)
        return refined(store, term.operands[0], [[size for _ in part for size in rest.pop(0)] for part in term.setting])
    return store.term("refine", [size for part in parts for size in part], (term,), tuple(map(tuple, parts)))


def reshaped(store: Store, value: Value, shape: Sequence[int]) -> Value:
    """The value in another shape, elements in order. Raises Refused where the sizes do not divide each other."""
    axes = [axis for group in value.groups for axis in group]
    rest = [value.term.shape[axis] for axis in axes]
    parts: dict[int, list[int]] = {axis: [] for axis in axes}
    groups: list[list[tuple[int, int]]] = []
    at = 0
    for size in shape:
        groups.append([])
        while size > 1:
            step = min(size, rest[at]) if at < len(axes) else size
            if at == len(axes) or size % step or rest[at] % step:
                raise Refused(f"{list(value.shape)} is not {list(shape)} along whole parts of axes")
            groups[-1].append((axes[at], len(parts[axes[at]])))
            parts[axes[at]].append(step)
            size, rest[at] = size // step, rest[at] // step
            at += rest[at] == 1
    if at != len(axes) or 0 in shape:
        raise Refused(f"{list(value.shape)} and {list(shape)} hold other numbers of elements")
    cut = [parts[axis] for axis in range(len(value.term.shape))]
    first = list(accumulate((len(part) for part in cut), initial=0))
    numbered = tuple(tuple(first[axis] + piece for axis, piece in group) for group in groups)
    return _whole(store, Value(refined(store, value.term, cut), numbered))


def _whole(store: Store, value: Value) -> Value:
    """The value with every cut undone whose parts stand together, in order."""
    if value.term.operator != "refine":
        return value
    owner = [axis for axis, part in enumerate(value.term.setting) for _ in part]
    glued = {n for group in value.groups for m, n in pairwise(group) if n == m + 1 and owner[m] == owner[n]}
    parts: list[list[int]] = [[] for _ in value.term.setting]
    for number, size in enumerate(value.term.shape):
        parts[owner[number]].append(parts[owner[number]].pop() * size if number in glued else size)
    indices = list(accumulate((number not in glued for number in range(len(owner))), initial=0))
    groups = tuple(tuple(indices[n] for n in group if n not in glued) for group in value.groups)
    return Value(refined(store, value.term.operands[0], parts), groups)


def along(array: Array, value: Value) -> Array:
    """A constant that is broadcast to a value, with one axis for each canonical axis, of length 1 where it does not vary."""
    rank = len(value.groups)
    extra = max(array.ndim - rank, 0)
    if math.prod(array.shape[:extra]) == 1:
        array = array.reshape((1,) * (rank - array.ndim) + array.shape[extra:])
    if array.ndim != rank or any(given not in (1, size) for given, size in zip(array.shape, value.shape, strict=True)):
        raise Refused("a constant is larger than what it meets")
    pairs = zip(array.shape, value.shape, value.groups, strict=True)
    sizes = [value.term.shape[axis] if given == size else 1 for given, size, group in pairs for axis in group]
    order = np.argsort([axis for group in value.groups for axis in group])
    return varying(array.reshape(sizes).transpose(order) if sizes else array.reshape(()))


def varying(array: Array) -> Array:
    """The array with every axis along which nothing varies cut to length 1."""
    for axis in range(array.ndim):
        if array.shape[axis] > 1 and bool((array == array.take([0], axis)).all()):
            array = array.take([0], axis)
    return array


def paired(one: Value, two: Value) -> tuple[tuple[int, ...], tuple[int, ...], Groups]:
    """Two values broadcast to each other: where each axis of the second lies in the result, and its sizes and groups."""
    rank = max(len(one.groups), len(two.groups))
    left, right = (((),) * (rank - len(value.groups)) + value.groups for value in (one, two))
    shape, groups = list(one.term.shape), []
    axes: dict[int, int] = {}
    for ours, theirs in zip(left, right, strict=True):
        sizes = [two.term.shape[axis] for axis in theirs]
        if ours and theirs and [one.term.shape[axis] for axis in ours] != sizes:
            raise Refused("operands hold an axis in other parts")
        groups.append(ours or tuple(range(len(shape), len(shape) + len(theirs))))
        shape += [] if ours else sizes
        axes.update(zip(theirs, groups[-1], strict=False))
    return tuple(axes[axis] for axis in range(len(two.term.shape))), tuple(shape), tuple(groups)
