"""Factors and offsets of what is joined: drawn out behind the Concat."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from safeconvert.prove.axioms.affine import parts
from safeconvert.prove.axioms.axiom import Axiom
from safeconvert.prove.kernel.layout import Value, along, refined
from safeconvert.prove.kernel.terms import Array, Store, Term

Map = tuple[Array, Array, Array]
"""A factor, an offset, and the magnitude of what that was summed from, with an axis for each of a term's."""
AXIOM = Axiom(
    "affine maps of what is joined",
    "Concat(x·s + b, y·t + c) = Concat(x, y)·u + d, where u is s and t joined along the same axis, and d is b and c.",
)


def apart(store: Store, value: Value) -> tuple[Value, Map | None]:
    """A tensor without the factor and the offset behind it, and these; None where there are none."""
    term = value.term
    whole = term.operands[0] if term.operator == "refine" else term
    core, s, b, m = parts(whole)
    if core is whole:
        return value, None
    if whole is term:
        return Value(core, value.groups), (s, b, m)
    cut = (_cut(s, term), _cut(b, term), _cut(m, term))
    return Value(refined(store, core, term.setting), value.groups), cut


def joined_maps(store: Store, bare: Sequence[tuple[Value, Map | None]], axis: int) -> Map | None:
    """The factor and the offset of what is joined, with an axis for each of the tensors'; None where no part has any.

    Args:
        store: of the step.
        bare: tensors, each without its map, and that.
        axis: along which they are joined.
    """
    if not any(one for _, one in bare):
        return None
    AXIOM.use(store)
    s, b, m = (
        _joined([_held(value, one, kind) for value, one in bare], [v.shape[axis] for v, _ in bare], axis)
        for kind in range(3)
    )
    return s, b, m


def of_piece(array: Array, pieces: Sequence[Value], number: int) -> Array:
    """Of a constant of what is joined along its last axis, the part of one of its pieces, with an axis for each of that one's term."""
    sizes = [piece.shape[-1] for piece in pieces]
    start = sum(sizes[:number])
    return along(array if array.shape[-1] == 1 else array[..., start : start + sizes[number]], pieces[number])


def _cut(array: Array, refine: Term) -> Array:
    """A constant of whole axes as one of these axes cut in parts."""
    cut = [(1,) * len(part) if size == 1 else part for size, part in zip(array.shape, refine.setting, strict=True)]
    return array.reshape([size for part in cut for size in part])


def _held(value: Value, one: Map | None, kind: int) -> Array:
    """A constant of a term's axes as one of the tensor's, of length 1 along all that it does not vary along."""
    if one is None:
        return np.full((1,) * len(value.groups), 1.0 if kind == 0 else 0.0)
    array, wide, shape = one[kind], list[int](), list[int]()
    for group in value.groups:
        sizes = [value.term.shape[a] if any(array.shape[b] != 1 for b in group) else 1 for a in group]
        wide += sizes
        shape.append(math.prod(sizes))
    return np.broadcast_to(array.transpose([a for group in value.groups for a in group]), wide).reshape(shape)


def _joined(arrays: Sequence[Array], sizes: Sequence[int], axis: int) -> Array:
    """Constants of tensors as one of what is joined."""
    shape = np.max([array.shape for array in arrays], axis=0)
    full = []
    for array, size in zip(arrays, sizes, strict=True):
        shape[axis] = size
        full.append(np.broadcast_to(array, shape))
    return np.concatenate(full, axis)
