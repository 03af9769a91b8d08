"""RNN, GRU and LSTM, unrolled over a length that is known."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .elementwise import like
from .indexing import reversed_within
from .node import Node

_DEFAULTS = {"RNN": ["Tanh"], "GRU": ["Sigmoid", "Tanh"], "LSTM": ["Sigmoid", "Tanh", "Tanh"]}
_GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
_ALPHA = {"LeakyRelu": 0.01, "HardSigmoid": 0.2, "Elu": 1.0, "Affine": 1.0, "ScaledTanh": 1.0, "ThresholdedRelu": 1.0}
_BETA = {"HardSigmoid": 0.5, "Affine": 0.0, "ScaledTanh": 1.0}


def _activation(n: Node, name: str, alpha: float | None, beta: float | None) -> Callable[[Any], Any]:
    f = n.backend.map
    names = {known.lower(): known for known in (*_ALPHA, "Relu", "Tanh", "Sigmoid", "Softsign", "Softplus")}
    name = names.get(name.lower(), name)
    a = _ALPHA.get(name, 0.0) if alpha is None else alpha
    c = _BETA.get(name, 0.0) if beta is None else beta

    def apply(x: Any) -> Any:
        def s(value: float) -> np.ndarray:
            return like(n, x, value)

        if name in ("Tanh", "Sigmoid", "Relu"):
            return f(name.lower(), x)
        if name == "HardSigmoid":
            return f("min", f("max", f("add", f("mul", x, s(a)), s(c)), s(0)), s(1))
        if name == "Affine":
            return f("add", f("mul", x, s(a)), s(c))
        if name == "ScaledTanh":
            return f("mul", f("tanh", f("mul", x, s(c))), s(a))
        if name == "LeakyRelu":
            return f("where", f("ge", x, s(0)), x, f("mul", x, s(a)))
        if name == "Elu":
            return f("where", f("ge", x, s(0)), x, f("mul", f("sub", f("exp", f("min", x, s(0))), s(1)), s(a)))
        if name == "Softsign":
            return f("div", x, f("add", f("abs", x), s(1)))
        if name == "Softplus":
            return f("softplus", x)
        raise n.refuse(f"the activation {name}")

    return apply


def _recurrent(n: Node) -> Any:
    b, x = n.backend, n.inputs[0]
    batch_first = n.attribute("layout", 0)
    x = b.transpose(x, [1, 0, 2]) if batch_first else x
    length, batch, _ = b.shape(x)
    if not isinstance(length, int):
        raise n.refuse("a free length")
    directions = {b"forward": [False], b"reverse": [True], b"bidirectional": [False, True]}[
        n.attribute("direction", b"forward")
    ]
    each = len(_DEFAULTS[n.operator])
    named = [name.decode() for name in n.attribute("activations", [])] or _DEFAULTS[n.operator] * len(directions)
    alphas, betas = (list(n.attribute(key, [])) for key in ("activation_alpha", "activation_beta"))
    runs = []
    for number, backwards in enumerate(directions):
        functions = []
        for position in range(number * each, (number + 1) * each):
            own = [values[position] if position < len(values) else None for values in (alphas, betas)]
            functions.append(_activation(n, named[position], *own))
        runs.append(_one_direction(n, x, (length, batch), number, backwards, functions, bool(batch_first)))
    outputs = b.concat([steps for steps, *_ in runs], 1)
    finals = [b.concat([run[k] for run in runs], 0) for k in range(1, len(runs[0]))]
    if batch_first:
        outputs, finals = b.transpose(outputs, [2, 0, 1, 3]), [b.transpose(final, [1, 0, 2]) for final in finals]
    return (outputs, *finals)


def _part(n: Node, position: int, number: int) -> Any:
    """An input's part for a direction, without the axis of directions; None where it is left out."""
    value = n.given(position)
    if value is None or isinstance(value, np.ndarray):
        return None if value is None else value[number]
    shape = n.backend.shape(value)
    part = n.backend.slice(value, [slice(number, number + 1), *[slice(None)] * (len(shape) - 1)])
    return n.backend.reshape(part, shape[1:])


def _rows(n: Node, matrix: Any, start: int, stop: int) -> Any:
    if matrix is None or isinstance(matrix, np.ndarray):
        return None if matrix is None else np.ascontiguousarray(matrix[start:stop])
    return n.backend.slice(matrix, [slice(start, stop), *[slice(None)] * (len(n.backend.shape(matrix)) - 1)])


def _initial(n: Node, position: int, number: int, batch_first: bool) -> Any:
    value = n.given(position)
    if value is not None and batch_first:
        value = n.backend.transpose(value, [1, 0, 2]) if not isinstance(value, np.ndarray) else value.transpose(1, 0, 2)
    if value is None:
        return None
    if isinstance(value, np.ndarray):
        return None if not np.any(value[number]) else value[number]
    part = n.backend.slice(value, [slice(number, number + 1), slice(None), slice(None)])
    return n.backend.reshape(part, n.backend.shape(value)[1:])


def _apply(n: Node, x: Any, matrix: Any, bias: Any = None) -> Any:
    """x @ matrix.T + bias."""
    b = n.backend
    if isinstance(matrix, np.ndarray) and (bias is None or isinstance(bias, np.ndarray)):
        return b.linear(x, np.ascontiguousarray(matrix.T), bias)
    y = b.matmul(x, b.transpose(matrix, [1, 0]))
    return y if bias is None else b.map("add", y, bias)


@dataclass(frozen=True)
class _Cell:
    """What the steps of one direction have in common.

    Attributes:
        node: the operator.
        recurrence, bias: R and its bias.
        peepholes: of an LSTM; None where there are none.
        functions: the activations.
        hidden: size of the state.
    """

    node: Node
    recurrence: Any
    bias: Any
    peepholes: Any
    functions: Sequence[Callable[[Any], Any]]
    hidden: int

    def clipped(self, value: Any) -> Any:
        """A gate's value within the operator's `clip`."""
        n, f, clip = self.node, self.node.backend.map, self.node.attribute("clip")
        if clip is None:
            return value
        return f("min", f("max", value, like(n, value, -clip)), like(n, value, clip))


def _one_direction(
    n: Node,
    x: Any,
    sizes: tuple[int, Any],
    number: int,
    backwards: bool,
    functions: Sequence[Callable[[Any], Any]],
    batch_first: bool,
) -> tuple[Any, ...]:
    """Hidden states as (length, 1, batch, hidden), and the last states as (1, batch, hidden); sizes are (length, batch)."""
    b, f = n.backend, n.backend.map
    length, batch = sizes
    lstm = n.operator == "LSTM"
    w, r, bias = (_part(n, position, number) for position in (1, 2, 3))
    hidden = b.shape(r)[-1]
    gates = _GATES[n.operator]
    wb, rb = _rows(n, bias, 0, gates * hidden), _rows(n, bias, gates * hidden, 2 * gates * hidden)
    h = _initial(n, 5, number, batch_first)
    c = _initial(n, 6, number, batch_first) if lstm else None
    peepholes = _part(n, 7, number) if lstm else None
    lengths = n.given(4)
    if isinstance(lengths, np.ndarray) and np.all(lengths == length):
        lengths = None
    if lengths is not None and backwards:
        x = reversed_within(n, x, lengths, length)
    inputs = _apply(n, x, w, wb)
    first = b.reshape(b.slice(inputs, [slice(0, 1), slice(None), slice(0, hidden)]), [batch, hidden])
    zeros = f("mul", f("where", f("isnan", first), like(n, first, 0), first), like(n, first, 0))
    zeros = f("where", f("isnan", zeros), like(n, first, 0), zeros)
    h = zeros if h is None else h
    c = zeros if c is None else c
    step = {"RNN": _rnn, "GRU": _gru, "LSTM": _lstm}[n.operator]
    cell = _Cell(n, r, rb, peepholes, functions, hidden)
    states: list[Any] = []
    for index in range(length) if not backwards or lengths is not None else reversed(range(length)):
        own = b.reshape(b.slice(inputs, [slice(index, index + 1), slice(None), slice(None)]), [batch, gates * hidden])
        new_h, new_c = step(cell, own, h, c)
        if lengths is not None:
            inside = f("gt", b.reshape(b.cast(lengths, "int64"), [-1, 1]), np.asarray(index, dtype=np.int64))
            states.append(f("where", inside, new_h, zeros))
            new_h = f("where", inside, new_h, h)
            new_c = f("where", inside, new_c, c) if lstm else c
        else:
            states.append(new_h)
        h, c = new_h, new_c
    order = states[::-1] if backwards and lengths is None else states
    together = b.concat([b.reshape(state, [1, 1, batch, hidden]) for state in order], 0)
    if backwards and lengths is not None:
        flat = b.reshape(together, [length, batch, hidden])
        together = b.reshape(reversed_within(n, flat, lengths, length), [length, 1, batch, hidden])
    finals = [b.reshape(state, [1, batch, hidden]) for state in ((h, c) if lstm else (h,))]
    return (together, *finals)


def _cut(n: Node, x: Any, hidden: int, gates: int) -> list[Any]:
    return [n.backend.slice(x, [slice(None), slice(k * hidden, (k + 1) * hidden)]) for k in range(gates)]


def _rnn(cell: _Cell, own: Any, h: Any, c: Any) -> tuple[Any, Any]:
    n = cell.node
    back = _apply(n, h, cell.recurrence, cell.bias)
    return cell.functions[0](cell.clipped(n.backend.map("add", own, back))), c


def _gru(cell: _Cell, own: Any, h: Any, c: Any) -> tuple[Any, Any]:
    n, f = cell.node, cell.node.backend.map
    r, rb, functions, hidden = cell.recurrence, cell.bias, cell.functions, cell.hidden
    z_own, r_own, h_own = _cut(n, own, hidden, 3)
    both = _apply(n, h, _rows(n, r, 0, 2 * hidden), _rows(n, rb, 0, 2 * hidden))
    z_back, r_back = _cut(n, both, hidden, 2)
    z = functions[0](cell.clipped(f("add", z_own, z_back)))
    reset = functions[0](cell.clipped(f("add", r_own, r_back)))
    last, last_bias = _rows(n, r, 2 * hidden, 3 * hidden), _rows(n, rb, 2 * hidden, 3 * hidden)
    if n.attribute("linear_before_reset", 0):
        back = f("mul", reset, _apply(n, h, last, last_bias))
    else:
        back = _apply(n, f("mul", reset, h), last, last_bias)
    new = functions[1](cell.clipped(f("add", h_own, back)))
    return f("add", f("mul", f("sub", like(n, z, 1), z), new), f("mul", z, h)), c


def _lstm(cell: _Cell, own: Any, h: Any, c: Any) -> tuple[Any, Any]:
    n, f, functions = cell.node, cell.node.backend.map, cell.functions
    hidden, p = cell.hidden, cell.peepholes
    i, o, forget, new = _cut(n, f("add", own, _apply(n, h, cell.recurrence, cell.bias)), hidden, 4)
    if p is not None:
        i = f("add", i, f("mul", _rows(n, p, 0, hidden), c))
        forget = f("add", forget, f("mul", _rows(n, p, 2 * hidden, 3 * hidden), c))
    i = functions[0](cell.clipped(i))
    forget = f("sub", like(n, i, 1), i) if n.attribute("input_forget", 0) else functions[0](cell.clipped(forget))
    c = f("add", f("mul", forget, c), f("mul", i, functions[1](cell.clipped(new))))
    if p is not None:
        o = f("add", o, f("mul", _rows(n, p, hidden, 2 * hidden), c))
    return f("mul", functions[0](cell.clipped(o)), functions[2](c)), c


OPERATORS: Mapping[str, Callable[[Node], Any]] = {"RNN": _recurrent, "GRU": _recurrent, "LSTM": _recurrent}
