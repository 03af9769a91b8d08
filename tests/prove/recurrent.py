"""Recurrent layers as one operator, as bodies step by step, and as loops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from onnx import TensorProto, helper

from tests.prove.graphs import Array, Builder

GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}


@dataclass(frozen=True)
class Weights:
    """Weights of one direction: [gates·units, inputs], [gates·units, units], and both biases."""

    kind: str
    input: Array
    own: Array
    biases: Array

    @property
    def units(self) -> int:
        return int(self.own.shape[1])


def drawn(kind: str, r: np.random.Generator, inputs: int, units: int) -> Weights:
    rows = GATES[kind] * units
    return Weights(kind, r.normal(size=(rows, inputs)), r.normal(size=(rows, units)), r.normal(size=(2, rows)))


def operator(b: Builder, x: str, sides: Sequence[Weights], *inputs: str, **settings: Any) -> list[str]:
    """The ONNX operator on [steps, batch, inputs]: its outputs."""
    kind = sides[0].kind
    given = [b.constant(np.stack([getattr(w, name) for w in sides])) for name in ("input", "own")]
    biases = b.constant(np.stack([w.biases.reshape(-1) for w in sides]))
    made = b(kind, x, *given, biases, *inputs, outputs=2, hidden_size=sides[0].units, **settings)
    return list(made)


def body(b: Builder, x: str, w: Weights, after: bool = True, back: bool = False, steps: int = 0) -> list[str]:
    """The states step by step on [steps, batch, inputs], gates in one product, as frameworks spell them out."""
    states: list[str] = []
    hidden, cell = "", ""
    for step in range(steps)[:: -1 if back else 1]:
        here = b("Squeeze", b("Slice", x, b.ints(step), b.ints(step + 1), b.ints(0)), b.ints(0))
        hidden, cell = one_step(b, w, here, (hidden, cell), after)
        states.append(hidden)
    return states[::-1] if back else states


def one_step(b: Builder, w: Weights, x: str, states: tuple[str, str], after: bool) -> tuple[str, str]:
    """One step on [batch, inputs]; states are names, or "" where they are zero."""
    hidden, cell = states
    count, units = GATES[w.kind], w.units
    given = b("Add", b("MatMul", x, b.constant(w.input.T)), b.constant(w.biases[0]))
    own = b("MatMul", hidden, b.constant(w.own.T)) if hidden else ""
    own = b("Add", own, b.constant(w.biases[1])) if own else ""
    if w.kind == "RNN":
        total = b("Add", given, own) if own else b("Add", given, b.constant(w.biases[1]))
        return b("Tanh", total), ""
    cuts = b.ints(*[units] * count)
    parts = b("Split", given, cuts, outputs=count, axis=1)
    others = (
        b("Split", own, cuts, outputs=count, axis=1)
        if own
        else [b.constant(one) for one in np.split(w.biases[1], count)]
    )
    if w.kind == "LSTM":
        enter, leave, keep = (b("Sigmoid", b("Add", parts[n], others[n])) for n in range(3))
        new = b("Mul", enter, b("Tanh", b("Add", parts[3], others[3])))
        made = b("Add", b("Mul", keep, cell), new) if cell else new
        return b("Mul", leave, b("Tanh", made)), made
    update, reset = (b("Sigmoid", b("Add", parts[n], others[n])) for n in range(2))
    if after:
        inner = b("Mul", reset, others[2])
    else:
        last = b.constant(np.split(w.own, 3)[2].T)
        inner = b("MatMul", b("Mul", reset, hidden), last) if hidden else b.constant(np.zeros(units))
        inner = b("Add", inner, b.constant(np.split(w.biases[1], 3)[2]))
    new = b("Tanh", b("Add", parts[2], inner))
    if not hidden:
        return b("Mul", b("Sub", b.constant(1.0), update), new), ""
    return b("Add", new, b("Mul", update, b("Sub", hidden, new))), ""


def looped(b: Builder, x: str, w: Weights, batch: int, steps: int) -> str:
    """A Loop that reads [steps, batch, inputs] and is left by its condition: the states of all steps [steps, batch, units]."""
    inner = type(b)([])
    hidden, cell = one_step(inner, w, inner("Gather", "x", "step", axis=0), ("hidden", "cell"), True)
    going = inner("Less", inner("Add", "step", inner.constant(1, np.int64)), inner.constant(steps, np.int64))
    kept = inner("Identity", cell or "cell")
    own = {name: f"inner_{name}" for node in inner.nodes for name in node.output}
    own |= {tensor.name: f"inner_{tensor.name}" for tensor in inner.constants} | {"x": x}
    for node in inner.nodes:
        node.input[:] = [own.get(name, name) for name in node.input]
        node.output[:] = [own[name] for name in node.output]
    for tensor in inner.constants:
        tensor.name = own[tensor.name]
    state = [batch, w.units]
    inputs = [
        ("step", TensorProto.INT64, []),
        ("go", TensorProto.BOOL, []),
        ("hidden", b.dtype, state),
        ("cell", b.dtype, state),
    ]
    outputs = [(own[going], TensorProto.BOOL, []), *((own[name], b.dtype, state) for name in (hidden, kept))]
    last = helper.make_node("Identity", [own[hidden]], ["inner_scan"])
    made = helper.make_graph(
        [*inner.nodes, last], "body", [helper.make_tensor_value_info(*one) for one in inputs],
        [helper.make_tensor_value_info(*one) for one in (*outputs, ("inner_scan", b.dtype, state))], inner.constants,
    )  # fmt: skip
    zeros = b.constant(np.zeros((batch, w.units)))
    ends = b("Loop", b.constant(9 * steps, np.int64), b.constant(True, np.bool_), zeros, zeros, outputs=3, body=made)
    return str(ends[2])
