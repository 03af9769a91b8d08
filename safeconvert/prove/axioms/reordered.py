"""Channels in another order: as two axes the other way around, as a product with a matrix, or as places by number."""

from __future__ import annotations

import numpy as np

from safeconvert.prove.axioms.affine import affine
from safeconvert.prove.axioms.axiom import Axiom
from safeconvert.prove.kernel.layout import Value, along, reshaped, transposed
from safeconvert.prove.kernel.terms import Array, Refused, Store

_ALONE = "all numbers of the matrix but those by which places are taken are zero"


def reordered(store: Store, value: Value, axis: int, weights: Array) -> Value | None:
    """The sum over an axis against a square matrix that only takes places in the order of a shuffle and scales them; None for other matrices."""
    count = len(weights)
    if weights.shape != (count, count):
        return None
    order = np.abs(weights).argmax(axis=0)
    taken = weights[order, np.arange(count)]
    if not AXIOM.holds(store, _ALONE, np.count_nonzero(weights) == np.count_nonzero(taken)):
        return None
    made = shuffled(store, value, axis, order)
    if made is None:
        return None
    AXIOM.use(store)
    factor = taken.reshape((1,) * axis + (count,) + (1,) * (len(value.groups) - axis - 1))
    return Value(affine(store, made.term, along(factor, made)), made.groups)


def shuffled(store: Store, value: Value, axis: int, order: Array) -> Value | None:
    """All places along an axis in the order in which rows and columns are turned around; None for other orders."""
    count = value.shape[axis]
    row = int(order[1]) if len(order) == count > 1 else 0
    if row <= 0 or count % row or (order != np.arange(count).reshape(-1, row).T.reshape(-1)).any():
        return None
    if row == 1:
        return value
    before, behind = value.shape[:axis], value.shape[axis + 1 :]
    try:
        apart = reshaped(store, value, (*before, count // row, row, *behind))
    except Refused:
        return None
    turned = (*range(axis), axis + 1, axis, *range(axis + 2, len(value.shape) + 1))
    made = reshaped(store, transposed(store, apart, turned), value.shape)
    AXIOM.use(store)
    return made


AXIOM = Axiom(
    "shuffles",
    "All places along an axis, rows after rows of them turned into columns after columns, are those of two axes the other way around, by whatever numbers they are named; a product "
    "with a matrix that has one number for each place of the result, and zeros, takes places and scales them.",
    (_ALONE,),
)
