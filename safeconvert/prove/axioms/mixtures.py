"""Sums of products in which a factor is one less another: as gates of recurrent layers mix two states."""

from __future__ import annotations

from collections.abc import Callable

from safeconvert.prove.axioms.affine import affine, parts, scale
from safeconvert.prove.axioms.axiom import Axiom
from safeconvert.prove.axioms.operands import Operand, factors, laid, regrouped
from safeconvert.prove.axioms.products import product
from safeconvert.prove.kernel.layout import Groups, Value
from safeconvert.prove.kernel.terms import Array, Store

Total = Callable[[Store, Value, Value], Value]
Frame = tuple[tuple[int, ...], tuple[int, ...], Groups]
"""Where each axis of the second operand lies in the result, and the result's sizes and groups."""
_PLACES = "what is common lies along the same axes"
_LESS = "one gate is the other less one"


def mixture(store: Store, pair: tuple[Value, Value], number: Array, frame: Frame, total: Total) -> Value | None:
    """one + number·two in the form that has each factor once; None where the axiom does not help."""
    if number.size != 1 or (store.allowed is not None and AXIOM.name not in store.allowed):
        return None
    one, two = pair
    axes, shape, groups = frame
    own = tuple(range(len(one.term.shape)))
    given, times = ((one.term, own), (two.term, axes)), number.item()
    found = None
    if one.term.operator == two.term.operator == "mul" and times != 0:
        found = _gated(store, given, times, len(shape), total)
    for (whole, at), (term, there), first in ((given[0], given[1], True), (given[1], given[0], False)):
        if found is None and term.operator == "mul":
            for (common, places), (other, others) in factors(term, there):
                if common is whole and AXIOM.holds(store, _PLACES, places == at) and times != 0:
                    factor = (times, 1.0) if first else (1.0, times)
                    inner = laid(affine(store, other, *factor), others, len(shape))
                    found = product(store, laid(whole, at, len(shape)), inner)
                    break
    if found is None:
        return None
    AXIOM.use(store)
    return regrouped(found, groups)


def _gated(store: Store, given: tuple[Operand, Operand], times: float, rank: int, total: Total) -> Value | None:
    """s·z·a + t·(z - 1)·b, of which the one that is given first has no factor, as z·(s·a + t·b) - t·b."""
    for index, (s, t) in enumerate(((1.0, times), (times, 1.0))):
        for gate, (a, of_a) in factors(*given[index]):
            for less, (b, of_b) in factors(*given[1 - index]):
                core, factor, offset, _ = parts(less[0])
                exact = bool((factor == 1).all() and (offset == -1).all())
                if core is not gate[0] or less[0] is core or not AXIOM.holds(store, _LESS, exact):
                    continue
                if AXIOM.holds(store, _PLACES, gate[1] == less[1]):
                    last = scale(store, laid(b, of_b, rank), t)
                    both = total(store, scale(store, laid(a, of_a, rank), s), last)
                    return total(store, scale(store, last, -1.0), product(store, laid(*gate, rank), both))
    return None


AXIOM = Axiom(
    "mixtures",
    "z·a + (1 - z)·b = b + z·(a - b); a + s·(a·b) = a·(s·b + 1) and s·a + a·b = a·(b + s) for a number s.",
    (_PLACES, _LESS),
)
