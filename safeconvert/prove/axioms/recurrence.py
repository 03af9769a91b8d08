"""LSTM, GRU and RNN."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from safeconvert.prove.axioms.axiom import Axiom
from safeconvert.prove.axioms.joining import joined
from safeconvert.prove.axioms.operands import only_floating
from safeconvert.prove.axioms.places import taken
from safeconvert.prove.axioms.unrolled import AXIOM as STEPS
from safeconvert.prove.axioms.unrolled import BENT, GATES, unrolled
from safeconvert.prove.kernel.layout import Value, canonical
from safeconvert.prove.kernel.node import Node
from safeconvert.prove.kernel.terms import Array, Constant, Refused, Store, near

_APART = "the biases of a gate that resets the product itself stay apart"
_START = "states begin at zero"
_FORWARD = "it runs forward"
_PLAIN = ("hidden_size", "direction", "linear_before_reset")


def _recurrence(n: Node) -> list[Value]:
    if n.store.allowed is None or STEPS.name in n.store.allowed:
        used = set(n.store.used)
        try:
            return unrolled(n)
        except Refused:
            n.store.used = used
    only_floating(n)
    kind, value = n.operator[1], n.value()
    others = {name: v for name, v in n.attributes.items() if name not in (*_PLAIN, "output_sequence")}
    if any(others.get(name) for name in ("layout", "clip", "input_forget", "activation_alpha", "activation_beta")):
        raise Refused(f"{kind}: with settings that are seldom used")
    starts = [n.constant(index) for index in range(5, len(n.operands))]
    AXIOM.require(n.store, _START, not any(start.any() for start in starts if start is not None))
    if n.constant(4) is not None or len(value.groups) != 3:
        raise Refused(f"{kind}: of sequences of several lengths")
    AXIOM.use(n.store)
    weights, own = (n.real(index) for index in (1, 2))
    sizes = (GATES[kind], own.shape[2])
    biases = np.zeros((own.shape[0], 2, *sizes)) if n.constant(3) is None else n.real(3).reshape(-1, 2, *sizes)
    apart = kind == "GRU" and bool(n.attributes.get("linear_before_reset", 0))
    last = AXIOM.holds(n.store, _APART, not apart)
    gates = [_merged(biases[:, :, gate], last or gate != 2) for gate in range(sizes[0])]
    size = np.abs(biases).sum(axis=1, keepdims=True)
    form = np.stack(gates, 2), np.stack([size[:, :, gate].repeat(2, 1) for gate in range(sizes[0])], 2)
    bent = n.attributes.get("activations") or BENT[kind] * len(own)
    each = len(bent) // len(own)
    ways = []
    for side in range(len(own)):
        constants = [near(weights[side]), near(own[side]), Constant(form[0][side], form[1][side])]
        setting = (bent[side * each : (side + 1) * each], apart)
        back = n.attributes["direction"] == "reverse" or side == 1
        ways.append(_way(n, setting, constants, not AXIOM.holds(n.store, _FORWARD, not back)))
    made = []
    for index, shape in enumerate(n.shapes):
        if shape is not None:
            parts = [way[index] for way in ways]
            made.append(parts[0] if len(parts) == 1 else joined(n.store, parts, 1 if index == 0 else 0))
    return made


def _way(n: Node, setting: tuple[Any, ...], constants: Sequence[Constant], back: bool) -> dict[int, Value]:
    """The outputs of one direction by their places: backwards, those of the sequence turned around, and turned again."""
    value = _turned(n.store, n.value()) if back else n.value()
    made = {}
    for index, shape in enumerate(n.shapes):
        if shape is not None:
            kept, groups = canonical((*shape[:-3], 1, *shape[-2:]))
            term = n.store.term(n.operator[1], kept, (value.term,), (value.groups, *setting, index), constants)
            found = Value(term, groups)
            made[index] = _turned(n.store, found) if back and index == 0 else found
    return made


def _turned(store: Store, value: Value) -> Value:
    """A sequence from its end to its beginning; steps lie along the first axis."""
    return taken(store, value, 0, range(value.shape[0] - 1, -1, -1))


def _merged(biases: Array, together: bool) -> Array:
    """Biases of the input and of the state, of one gate, as their sum and zero."""
    return np.stack([biases.sum(axis=1), 0 * biases[:, 0]], 1) if together else biases


AXIOM = Axiom(
    "recurrent layers",
    "The biases of the input and of the state are summed before a gate bends them, so that only their sum counts; not so for a gate that resets the product "
    "with the state itself. A layer of both directions is two; one that runs backwards is one that runs forward on the sequence turned around, whose outputs are turned "
    "again.",
    (_APART, _START, _FORWARD),
    dict.fromkeys(GATES, _recurrence),
)
