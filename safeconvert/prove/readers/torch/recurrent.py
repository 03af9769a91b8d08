"""aten's lstm and gru, layer after layer."""

from __future__ import annotations

from safeconvert.prove.kernel.terms import Refused
from safeconvert.prove.readers.torch.call import Call, Rule, Tensor, size

_ORDER = {"LSTM": (0, 3, 1, 2), "GRU": (1, 0, 2)}
"""torch's gates in the order of ONNX: input, output, forget, cell; update, reset, hidden."""


def recurrent(kind: str) -> Rule:
    """lstm.input and gru.input of sequences of one length; GRU's reset comes after the product."""

    def rule(c: Call) -> list[str]:
        x = c.only_float("input")
        layers, both = int(c.value("num_layers", 1)), bool(c.value("bidirectional", False))
        if len(x.shape) != 3 or c.value("train", False) or not c.value("has_biases", True):
            raise Refused(f"{c.target}: in training, without biases, or of no batch")
        states = c.listed("hx") if kind == "LSTM" else [c.tensor("hx")]
        weights, sides = c.listed("params"), 1 + both
        if len(weights) != 4 * sides * layers:
            raise Refused(f"{c.target}: has {len(weights)} weights")
        first = bool(c.value("batch_first", False))
        steps = c.write("Transpose", x.name, perm=[1, 0, 2]) if first else x.name
        ends: list[list[str]] = [[] for _ in states]
        for layer in range(layers):
            own = weights[4 * sides * layer : 4 * sides * (layer + 1)]
            begun = [_of_layer(c, state, layer, sides, layers) for state in states]
            made = _layer(c, kind, steps, own, begun)
            steps = _joined(c, made[0], sides)
            for end, name in zip(ends, made[1:], strict=True):
                end.append(name)
        last = [one[0] if layers == 1 else c.write("Concat", *one, axis=0) for one in ends]
        return [c.write("Transpose", steps, perm=[1, 0, 2]) if first else steps, *last]

    return rule


def _layer(c: Call, kind: str, steps: str, own: list[Tensor], begun: list[str]) -> list[str]:
    """One layer, in one or both directions."""
    hidden, sides = size(c, own[1], 1), len(own) // 4
    rows = [[_gates(c, kind, tensor) for tensor in own[4 * side : 4 * side + 4]] for side in range(sides)]
    stacked = []
    for place in (0, 1):
        stacked.append(
            c.write("Concat", *(c.write("Unsqueeze", side[place], c.write.integers(0)) for side in rows), axis=0)
        )
    biases = [c.write("Concat", side[2], side[3], axis=0) for side in rows]
    stacked.append(c.write("Concat", *(c.write("Unsqueeze", bias, c.write.integers(0)) for bias in biases), axis=0))
    after = {"linear_before_reset": 1} if kind == "GRU" else {}
    direction = "bidirectional" if sides == 2 else "forward"
    return c.write.several(
        kind, [steps, *stacked, "", *begun], 1 + len(begun), hidden_size=hidden, direction=direction, **after
    )


def _gates(c: Call, kind: str, tensor: Tensor) -> str:
    """Weights or biases with the gates in ONNX' order."""
    order = _ORDER[kind]
    each = size(c, tensor, 0) // len(order)
    parts = c.write.several("Split", [tensor.name, c.write.integers(*[each] * len(order))], len(order), axis=0)
    return c.write("Concat", *(parts[gate] for gate in order), axis=0)


def _of_layer(c: Call, state: Tensor, layer: int, sides: int, layers: int) -> str:
    if layers == 1:
        return state.name
    lists = ([layer * sides], [(layer + 1) * sides], [0])
    return c.write("Slice", state.name, *(c.write.integers(*numbers) for numbers in lists))


def _joined(c: Call, made: str, sides: int) -> str:
    """[steps, directions, batch, hidden] as [steps, batch, directions·hidden]."""
    if sides == 1:
        return c.write("Squeeze", made, c.write.integers(1))
    moved = c.write("Transpose", made, perm=[0, 2, 1, 3])
    return c.write("Reshape", moved, c.write.integers(0, 0, -1))
