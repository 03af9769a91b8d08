"""Pad."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from safeconvert.prove.axioms.axiom import Axiom
from safeconvert.prove.kernel.layout import Value
from safeconvert.prove.kernel.node import Node
from safeconvert.prove.kernel.terms import Array, Constant, Refused, Store


def _pad(n: Node) -> list[Value]:
    value, rank = n.value(), len(n.value().groups)
    amounts, filled, axes = n.constant(1), n.constant(2), n.constant(3)
    given = n.attributes.get("pads", ()) if amounts is None else tuple(int(a) for a in amounts.reshape(-1))
    named = range(rank) if axes is None else [int(a) % rank for a in axes.reshape(-1)]
    entries = []
    for axis, front, back in zip(named, given[: len(named)], given[len(named) :], strict=True):
        if front or back:
            if len(value.groups[axis]) != 1 or n.shape[axis] == 1:
                raise Refused("Pad: along an axis that is several, or of length 1")
            entries.append((value.groups[axis][0], front, back))
    mode = n.attributes.get("mode", "constant")
    fill = np.asarray(n.attributes.get("value", 0.0) if filled is None else filled.reshape(-1)[0])
    return [padded(n.store, value, entries, (mode, fill))]


def padded(store: Store, value: Value, entries: Sequence[tuple[int, int, int]], how: tuple[str, Array]) -> Value:
    """A value padded in front of and behind canonical axes.

    Args:
        store: of the step.
        value: what is padded.
        entries: an axis, and how many places in front and behind.
        how: the mode, and the number that it pads with where that is "constant".
    """
    AXIOM.use(store)
    if not entries:
        return value
    shape = list(value.term.shape)
    for own, front, back in entries:
        shape[own] += front + back
    mode, fill = how
    number = [Constant(fill.astype(np.float64) if fill.dtype.kind == "f" else fill)] if mode == "constant" else []
    return Value(store.term("pad", shape, (value.term,), (mode, tuple(sorted(entries))), number), value.groups)


AXIOM = Axiom(
    "padding of axes", "Pad, in one mode and with one number, commutes with any order of axes.", (), {"Pad": _pad}
)
