"""Values: a term in some order of axes, as one tensor of a graph holds it.

`groups` says for each axis of the tensor which canonical axes of the term are merged in it, in order; an axis of length 1 merges none. Transposes permute
groups, reshapes that only merge or split along canonical axes regroup them, so that both are no operators at all here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from safeconvert.prove.search.terms import Array, Term, TermStore

Groups = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Value:
    """A tensor's content.

    Attributes:
        term: what it is.
        groups: the term's axes in each axis of the tensor; together every axis of the term exactly once.
    """

    term: Term
    groups: Groups

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes of the tensor's axes."""
        return tuple(math.prod(self.term.shape[axis] for axis in group) for group in self.groups)

    @property
    def sizes(self) -> tuple[tuple[int, ...], ...]:
        """For each axis the sizes that are merged in it."""
        return tuple(tuple(self.term.shape[axis] for axis in group) for group in self.groups)


def canonical(shape: Sequence[int]) -> tuple[tuple[int, ...], Groups]:
    """Sizes of the canonical axes of a tensor in plain order, and its groups."""
    groups: list[tuple[int, ...]] = []
    kept: list[int] = []
    for size in shape:
        groups.append((len(kept),) if size != 1 else ())
        if size != 1:
            kept.append(size)
    return tuple(kept), tuple(groups)


def constant(store: TermStore, array: Array) -> Value:
    """A constant as a value."""
    shape, groups = canonical(array.shape)
    return Value(store.term("constant", shape, setting=(array.dtype.str,), constants=(array.reshape(shape),)), groups)


def transposed(value: Value, order: Sequence[int]) -> Value:
    """The value with its axes in another order."""
    return Value(value.term, tuple(value.groups[axis] for axis in order))


def reshaped(value: Value, shape: Sequence[int]) -> Value | None:
    """The value in another shape of as many elements, where no canonical axis has to be cut; else None."""
    sequence = [axis for group in value.groups for axis in group]
    groups = []
    for size in shape:
        group: list[int] = []
        held = 1
        while held < size and sequence:
            held *= value.term.shape[sequence[0]]
            group.append(sequence.pop(0))
        if held != size:
            return None
        groups.append(tuple(group))
    return Value(value.term, tuple(groups)) if not sequence else None


def along_axes(array: Array, value: Value) -> Array | None:
    """A constant that is broadcast to a value, with one axis for each canonical axis of its term (1 where it does not vary).

    None where it is larger than the value, so that the value would be broadcast to it.
    """
    rank = len(value.groups)
    if array.ndim > rank and any(size != 1 for size in array.shape[: array.ndim - rank]):
        return None
    array = array.reshape(array.shape[max(array.ndim - rank, 0) :])
    array = array.reshape((1,) * (rank - array.ndim) + array.shape)
    sizes: list[int] = []
    axes: list[int] = []
    for given, group in zip(array.shape, value.groups, strict=True):
        merged = [value.term.shape[axis] for axis in group]
        if given not in (1, math.prod(merged)):
            return None
        sizes += merged if given != 1 else [1] * len(group)
        axes += group
    moved = array.reshape(sizes).transpose(np.argsort(axes)) if axes else array.reshape(())
    return squeezed(moved)


def squeezed(array: Array) -> Array:
    """The array with every axis along which nothing varies cut to length 1."""
    for axis in range(array.ndim):
        if array.shape[axis] > 1 and bool((array == array.take([0], axis)).all()):
            array = array.take([0], axis)
    return array
