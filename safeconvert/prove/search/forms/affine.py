"""Multiplying by constants and adding them, in one normal form: `AddC(MulC(x, s), b)`.

Identities, over the reals (· and + by element, constants broadcast):

    (x·s)·t = x·(s·t)      (x+b)·s = x·s + b·s      (x+b)+c = x+(b+c)
    conv(x, W)·s = conv(x, W·s) and x·W·s = x·(W·s), where s varies along the output channels only
"""

from __future__ import annotations

import numpy as np

from safeconvert.prove.search.refine import base_of, merged, refined
from safeconvert.prove.search.terms import Array, Near, Term, TermStore
from safeconvert.prove.search.values import Value, squeezed

WEIGHTED = {"conv", "contract"}
"""Terms that are linear in their one constant, whose last axis is the output channel; `setting[0]` is that channel's canonical axis."""


def scaled(store: TermStore, term: Term, factor: Array | float) -> Term:
    """`term · factor`; the factor has one axis for each canonical axis (or none at all)."""
    factor = _doubles(factor)
    if bool((factor == 1.0).all()):
        return term
    base, cuts = base_of(store, term)
    whole = merged(_broadcast(factor, term), cuts) if cuts is not None else None
    if cuts is not None and whole is not None:
        return refined(store, scaled(store, base, whole), cuts)
    if term.operator == "add_c":
        inner = scaled(store, store.terms[term.operands[0]], factor)
        return shifted(store, inner, _broadcast(term.constants[0], term) * _broadcast(factor, term))
    if term.operator == "mul_c":
        return scaled(
            store, store.terms[term.operands[0]], _broadcast(term.constants[0], term) * _broadcast(factor, term)
        )
    if term.operator in WEIGHTED and (factor.size == 1 or _varies_only(factor, channel_axis(term), term)):
        weights = _doubles(term.constants[0]) * factor.reshape(-1)
        return store.term(term.operator, term.shape, term.operands, term.setting, (weights,), term.near)
    return store.term("mul_c", term.shape, (term.number,), (), (squeezed(_broadcast(factor, term)),), Near.EACH)


def shifted(store: TermStore, term: Term, offset: Array | float) -> Term:
    """`term + offset`; axes as in `scaled`."""
    offset = _doubles(offset)
    if bool((offset == 0.0).all()):
        return term
    base, cuts = base_of(store, term)
    whole = merged(_broadcast(offset, term), cuts) if cuts is not None else None
    if cuts is not None and whole is not None:
        return refined(store, shifted(store, base, whole), cuts)
    if term.operator == "add_c":
        return shifted(
            store, store.terms[term.operands[0]], _broadcast(term.constants[0], term) + _broadcast(offset, term)
        )
    return store.term("add_c", term.shape, (term.number,), (), (squeezed(_broadcast(offset, term)),), Near.SUM)


def parts(store: TermStore, term: Term) -> tuple[Term, Array | None, Array | None]:
    """A term as (core, factor, offset); None for a factor of 1 and an offset of 0."""
    offset = factor = None
    if term.operator == "add_c":
        offset, term = term.constants[0], store.terms[term.operands[0]]
    if term.operator == "mul_c":
        factor, term = term.constants[0], store.terms[term.operands[0]]
    return term, factor, offset


def channel_axis(term: Term) -> int | None:
    """The canonical axis of the output channels of a weighted term; None where there is one channel only."""
    return int(term.setting[0]) if term.constants[0].shape[-1] != 1 else None


def scale(value: Value, store: TermStore, factor: Array | float) -> Value:
    """A value times a constant of its term's canonical axes."""
    return Value(scaled(store, value.term, factor), value.groups)


def shift(value: Value, store: TermStore, offset: Array | float) -> Value:
    """A value plus a constant of its term's canonical axes."""
    return Value(shifted(store, value.term, offset), value.groups)


def _doubles(array: Array | float) -> Array:
    return np.asarray(array, np.float64)


def _broadcast(array: Array, term: Term) -> Array:
    """With one axis for each canonical axis; a scalar gets axes of length 1."""
    return array if array.ndim == len(term.shape) else array.reshape((1,) * len(term.shape))


def _varies_only(array: Array, axis: int | None, term: Term) -> bool:
    shape = _broadcast(array, term).shape
    return all(size == 1 for place, size in enumerate(shape) if place != axis)
