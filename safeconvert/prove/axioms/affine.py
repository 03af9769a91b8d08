"""x·s + b with constant s and b, in one form."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from safeconvert.prove.axioms.axiom import Axiom
from safeconvert.prove.axioms.oddness import AXIOM as SIGN
from safeconvert.prove.axioms.oddness import FUNCTIONS, ODD
from safeconvert.prove.axioms.spreading import AXIOM as BROADCAST
from safeconvert.prove.axioms.spreading import spread
from safeconvert.prove.axioms.weights import WEIGHTED, absorbed
from safeconvert.prove.kernel.layout import Value, refined, varying
from safeconvert.prove.kernel.terms import Array, Constant, Store, Term

_FINITE = "constants are finite"
_ONE = "what is taken for a factor of one is one within four roundings"
_ROUNDINGS = 2.0**-22
"""Relative; four roundings of float32, as a quotient of counts has where it is computed."""
AXIOM = Axiom(
    "affine maps compose",
    "(x·s + b)·t + c = x·(s·t) + (b·t + c), element by element, whatever the order of axes and their cuts; x·1 = x.",
    (_FINITE, _ONE),
)


def parts(term: Term) -> tuple[Term, Array, Array, Array]:
    """A term as core·factor + offset, and the magnitude of what the offset was summed from."""
    if term.operator == "affine":
        factor, offset = term.constants
        return term.operands[0], factor.values, offset.values, np.asarray(offset.size)
    one = np.ones((1,) * len(term.shape))
    return term, one, one * 0, one * 0


def affine(
    store: Store, term: Term, factor: Array | float = 1.0, offset: Array | float = 0.0, size: Array | None = None
) -> Term:
    """term·factor + offset; constants have an axis for each of the term's, or none.

    Args:
        store: of the step.
        term: what is scaled and shifted.
        factor, offset: by how much.
        size: the magnitude of what the offset was summed from; None where it is no sum.
    """
    given = (np.asarray(array, np.float64) for array in (factor, offset, np.abs(offset) if size is None else size))
    s, b, m = (array if array.ndim == len(term.shape) else array.reshape((1,) * len(term.shape)) for array in given)
    if term.operator == "refine":
        merged = [_merged(array, term.setting) for array in (s, b, m)]
        s1, b1, m1 = merged
        if s1 is not None and b1 is not None and m1 is not None:
            return refined(store, affine(store, term.operands[0], s1, b1, m1), term.setting)
    core, s0, b0, m0 = parts(term)
    if core is not term:
        AXIOM.use(store)
    s, b, m = _rounded(store, varying(s0 * s)), varying(b0 * s + b), m0 * np.abs(s) + m
    AXIOM.require(store, _FINITE, bool(np.isfinite(s).all() and np.isfinite(b).all() and np.isfinite(m).all()))
    if core.operator in WEIGHTED and not (s == 1).all():
        taken = absorbed(store, core, s)
        core, s = (core, s) if taken is None else (taken, np.ones_like(s))
    if (s == 1).all() and (b == 0).all():
        return core
    return store.term("affine", core.shape, (core,), (), [Constant(s, np.abs(s)), Constant(b, m)])


def _rounded(store: Store, factor: Array) -> Array:
    """A factor; one where it is one but for roundings, which are noted as a difference of constants."""
    apart = float(np.abs(factor - 1).max(initial=0.0))
    if apart == 0 or not AXIOM.holds(store, _ONE, apart <= _ROUNDINGS):
        return factor
    AXIOM.use(store)
    store.apart += apart if apart <= _ROUNDINGS else 0.0
    return np.ones((1,) * factor.ndim)


def scale(store: Store, value: Value, factor: Array | float) -> Value:
    """A value times a constant of its term's axes."""
    return Value(affine(store, value.term, factor), value.groups)


def without(store: Store, term: Term, number: float) -> Term:
    """A term divided by a number that is its factor, or that its weights are to be divided by."""
    core, s, b, m = parts(term)
    factor = np.ones_like(s) if s.size == 1 and s.item() == number else s / number
    return affine(store, core, factor, b / number, m / abs(number))


def broadcast(store: Store, value: Value, shape: Sequence[int]) -> Value:
    """A value broadcast to a shape, its factor and offset behind that."""
    core, s, b, m = parts(value.term)
    wide = spread(store, Value(core, value.groups), shape)
    if core is value.term:
        return wide
    form = (1,) * (len(wide.term.shape) - len(core.shape))
    return Value(affine(store, wide.term, *(array.reshape(array.shape + form) for array in (s, b, m))), wide.groups)


def unary(
    store: Store, operator: str, value: Value, setting: tuple[object, ...] = (), bounds: Array | None = None
) -> Value:
    """An operator on each element by itself, with which any order and cut of axes commutes, and broadcasting too."""

    def made(term: Term, turned: bool = False) -> Term:
        if term.operator == "refine":
            return refined(store, made(term.operands[0]), term.setting)
        if not turned and _is_turned(operator, term) and SIGN.holds(store, ODD, operator in FUNCTIONS):
            SIGN.use(store)
            return affine(store, made(affine(store, term, -1.0), True), -1.0)
        base = _narrow(store, term)
        if base is not None:
            BROADCAST.use(store)
            return store.term("spread", term.shape, (made(base),))
        return store.term(
            operator, term.shape, (term,), setting, [] if bounds is None else [Constant(bounds, np.abs(bounds))]
        )

    return Value(made(value.term), value.groups)


def _is_turned(operator: str, term: Term) -> bool:
    """Whether -x is read in place of x, of which one is as good as the other: its one factor, or the largest of its weights, is below zero.

    Weights have a sign for erf alone, which exporters spell by erfc, 1 - erf(x).
    """
    core, factor, offset, _ = parts(term)
    if operator != "Erf":
        return factor.size == 1 and factor.item() < 0 and not offset.any()
    numbers = core.constants[0].values if core.operator in WEIGHTED and bool((factor == 1).all()) else factor
    return bool(numbers.size and numbers.flat[int(np.abs(numbers).argmax())] < 0)


def _narrow(store: Store, term: Term) -> Term | None:
    """What a term is the broadcast of; None where it varies along all axes, as far as is known."""
    core, *arrays = parts(term)
    if core.operator != "spread":
        return None
    base = core.operands[0]
    own = len(base.shape)
    if any(size != 1 for array in arrays for size in array.shape[own:]):
        return None
    return base if core is term else affine(store, base, *(array.reshape(array.shape[:own]) for array in arrays))


def normalised(store: Store, value: Value) -> tuple[Value, Array]:
    """A value without the factor in front of it, or without the largest weight of what it is linear in, and that factor."""
    if value.term.operator == "refine":
        whole, cut = value.term.operands[0], value.term.setting
        rest, outer = normalised(store, Value(whole, tuple((axis,) for axis in range(len(whole.shape)))))
        one = np.ones((1,) * len(value.term.shape))
        if outer.size != 1:
            return value, one
        return Value(refined(store, rest.term, cut), value.groups), one * outer.item()
    core, factor, offset, _ = parts(value.term)
    if core.operator in WEIGHTED and bool((factor == 1).all()):
        number = float(np.abs(core.constants[0].values).max(initial=0.0))
    elif not offset.any():
        return Value(core, value.groups), factor
    else:
        number = float(factor.item()) if factor.size == 1 else 1.0
    one = np.ones_like(factor)
    if number in (0.0, 1.0):
        return value, one
    return Value(without(store, value.term, number), value.groups), one * number


def only_along(array: Array, axes: Sequence[int]) -> bool:
    """Whether a constant varies along some axes at most."""
    return all(size == 1 or axis in axes for axis, size in enumerate(array.shape))


def _merged(array: Array, cut: Sequence[Sequence[int]]) -> Array | None:
    """A constant of cut axes as one of the whole axes; None where it varies along a part of an axis only."""
    shape, at = [], 0
    for part in cut:
        given = array.shape[at : at + len(part)]
        at += len(part)
        if any(size != 1 for size in given) and given != tuple(part):
            return None
        shape.append(math.prod(given))
    return array.reshape(shape)
