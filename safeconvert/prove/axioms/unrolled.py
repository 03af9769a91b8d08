"""LSTM, GRU and RNN, step after step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from safeconvert.prove.axioms.affine import affine, scale, unary
from safeconvert.prove.axioms.axiom import Axiom
from safeconvert.prove.axioms.clips import clipped
from safeconvert.prove.axioms.contraction import contract
from safeconvert.prove.axioms.joining import joined
from safeconvert.prove.axioms.operands import only_floating
from safeconvert.prove.axioms.places import taken
from safeconvert.prove.axioms.products import product
from safeconvert.prove.axioms.sums import total
from safeconvert.prove.kernel.layout import Value, along, reshaped, transposed
from safeconvert.prove.kernel.node import Node
from safeconvert.prove.kernel.terms import Array, Refused, Store

GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
BENT = {"LSTM": ("Sigmoid", "Tanh", "Tanh"), "GRU": ("Sigmoid", "Tanh"), "RNN": ("Tanh",)}
_MANY = 20_000
"""Terms that a layer may be unrolled into."""
_EACH = {"LSTM": 40, "GRU": 35, "RNN": 10}
"""Terms of a step, about."""
_PLAIN = "it has no clip, no coupled gates and no peepholes"
_WHOLE = "all sequences are as long as the tensor"
_START = "constant states to begin with are zero"
_AFTER = "the product with the state is reset where the layer says so, else the state"

State = Value | None
"""A state; None where it is zero."""


def unrolled(n: Node) -> list[Value]:
    """The outputs of a recurrent layer as what its steps compute. Raises Refused where it is too long, or has settings that the axiom does not know."""
    only_floating(n)
    AXIOM.use(n.store)
    kind, value = n.operator[1], n.value()
    steps, sides = value.shape[0], n.real(1).shape[0]
    others = ("clip", "input_forget", "activation_alpha", "activation_beta")
    AXIOM.require(n.store, _PLAIN, n.constant(7) is None and not any(n.attributes.get(name) for name in others))
    AXIOM.require(n.store, _WHOLE, n.constant(4) is None)
    if n.attributes.get("layout", 0) or len(value.groups) != 3 or steps * sides * _EACH[kind] > _MANY:
        raise Refused(f"{kind}: of batches first, or too long to be unrolled")
    bent = n.attributes.get("activations") or BENT[kind] * sides
    ends: list[list[list[Value]]] = []
    for side in range(sides):
        starts = [_start(n, index, side) for index in (5, 6)][: 1 + (kind == "LSTM")]
        each = len(bent) // sides
        functions = [_function(name) for name in bent[side * each : (side + 1) * each]]
        step = partial(_STEPS[kind], _Gates(n, side), functions)
        back = n.attributes["direction"] == "reverse" or side == 1
        ends.append(_run(n.store, value, step, starts, back))
    return _outputs(n, ends, steps)


class _Gates:
    """Sums that gates bend: of the input's and the state's products with weights, and biases."""

    def __init__(self, n: Node, side: int) -> None:
        self.store, count = n.store, GATES[n.operator[1]]
        self.weights, self.own = (np.split(n.real(index)[side], count) for index in (1, 2))
        biases = np.zeros(2 * len(n.real(1)[side])) if n.constant(3) is None else n.real(3)[side]
        self.biases = np.split(biases, 2 * count)
        self.after = bool(n.attributes.get("linear_before_reset", 0))
        self.count = count

    def state(self, gate: int, state: State, bias: bool = False) -> State:
        """A state's product with a gate's weights, with the bias of the state or without. Zero where the state is."""
        if state is None:
            return None
        made = contract(self.store, state, 1, self.own[gate].T)
        return _shifted(self.store, made, self.biases[self.count + gate]) if bias else made

    def input(self, gate: int, x: Value, both: bool = True) -> Value:
        """The input's product with a gate's weights, with its bias, and with the state's."""
        bias = self.biases[gate] + (self.biases[self.count + gate] if both else 0.0)
        size = np.abs(self.biases[gate]) + (np.abs(self.biases[self.count + gate]) if both else 0.0)
        return _shifted(self.store, contract(self.store, x, 1, self.weights[gate].T), bias, size)

    def __call__(self, gate: int, x: Value, state: State) -> Value:
        return _sum(self.store, self.input(gate, x), self.state(gate, state))


Function = Callable[[Store, Value], Value]
Step = Callable[[Value, list[State]], list[State]]


def _lstm(gates: _Gates, bend: Sequence[Function], x: Value, states: list[State]) -> list[State]:
    store, (hidden, cell) = gates.store, states
    enter, leave, keep = (bend[0](store, gates(gate, x, hidden)) for gate in range(3))
    new = product(store, enter, bend[1](store, gates(3, x, hidden)))
    made = new if cell is None else total(store, product(store, keep, cell), new)
    return [product(store, leave, bend[2](store, made)), made]


def _gru(gates: _Gates, bend: Sequence[Function], x: Value, states: list[State]) -> list[State]:
    store, hidden = gates.store, states[0]
    update, reset = (bend[0](store, gates(gate, x, hidden)) for gate in range(2))
    if AXIOM.holds(store, _AFTER, not gates.after):
        inner = gates(2, x, None if hidden is None else product(store, reset, hidden))
    else:
        bias = _biases(store, reset, gates.biases[5])
        own = gates.state(2, hidden, bias=True)
        kept = bias if own is None else product(store, reset, own)
        inner = _sum(store, gates.input(2, x, both=False), kept)
    new = bend[1](store, inner)
    rest = product(store, Value(affine(store, update.term, -1.0, 1.0), update.groups), new)
    return [rest if hidden is None else total(store, product(store, update, hidden), rest)]


def _rnn(gates: _Gates, bend: Sequence[Function], x: Value, states: list[State]) -> list[State]:
    return [bend[0](gates.store, gates(0, x, states[0]))]


_STEPS: dict[str, Callable[..., list[State]]] = {"LSTM": _lstm, "GRU": _gru, "RNN": _rnn}


def _biases(store: Store, gate: Value, bias: Array) -> State:
    """A gate times a bias; None where that is zero."""
    return scale(store, gate, along(bias, gate)) if bias.any() else None


def _function(name: str) -> Function:
    if name in ("Sigmoid", "Tanh"):
        return lambda store, value: unary(store, name, value)
    if name == "Relu":
        return lambda store, value: clipped(store, value, 0.0, np.inf)
    raise Refused(f"a gate that is bent by {name}")


def _shifted(store: Store, value: Value, bias: Array, size: Array | None = None) -> Value:
    return Value(
        affine(store, value.term, 1.0, along(bias, value), None if size is None else along(size, value)), value.groups
    )


def _sum(store: Store, one: Value, two: State) -> Value:
    return one if two is None else total(store, one, two)


def _start(n: Node, index: int, side: int) -> State:
    """A state to begin with, as batch and units."""
    given = n.operands[index] if index < len(n.operands) else None
    if isinstance(given, Value):
        return _first(taken(n.store, given, 0, range(side, side + 1)))
    AXIOM.require(n.store, _START, given is None or not given.any())
    return None


def _first(value: Value) -> Value:
    """A tensor without its first axis, whose length is 1."""
    return Value(value.term, value.groups[1:])


def _run(store: Store, value: Value, step: Step, states: list[State], back: bool) -> list[list[Value]]:
    """The states after each step, in the order of the sequence."""
    count = value.shape[0]
    made: list[list[Value]] = []
    for index in range(count)[:: -1 if back else 1]:
        states = step(_first(taken(store, value, 0, range(index, index + 1))), states)
        made.append([state for state in states if state is not None])
    return made


def _outputs(n: Node, ends: list[list[list[Value]]], steps: int) -> list[Value]:
    """What the layer gives, of the states after each step of each direction."""
    sides = len(ends)
    reverse = n.attributes["direction"] == "reverse"
    made = []
    for index, shape in enumerate(n.shapes):
        if shape is None:
            continue
        if index == 0:
            each = [[states[0] for states in run[:: -1 if side or reverse else 1]] for side, run in enumerate(ends)]
            runs = [_joined(n.store, [Value(v.term, ((), *v.groups)) for v in hidden], 0) for hidden in each]
            stacked = _joined(n.store, runs, 2)
            batch, units = shape[2:]
            made.append(transposed(n.store, reshaped(n.store, stacked, (steps, batch, sides, units)), (0, 2, 1, 3)))
        else:
            last = [run[-1][index - 1] for run in ends]
            made.append(_joined(n.store, [Value(v.term, ((), *v.groups)) for v in last], 0))
    return made


def _joined(store: Store, parts: list[Value], axis: int) -> Value:
    return parts[0] if len(parts) == 1 else joined(store, parts, axis)


AXIOM = Axiom(
    "recurrent layers step by step",
    "An LSTM, a GRU or an RNN is its equations, step after step: its outputs are the states joined, those of both directions one behind the other.",
    (_PLAIN, _WHOLE, _START, _AFTER),
)
