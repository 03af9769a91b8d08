"""TensorFlow's operators that draw out, count, and name elements."""

from __future__ import annotations

from onnx import TensorProto

from safeconvert.prove.kernel.terms import Refused
from safeconvert.prove.readers.tf.elements import WHOLE
from safeconvert.prove.readers.tf.node import FLOAT, Node, Rule, Tensor

_INT64 = TensorProto.INT64
_NUMBERS = (FLOAT, *WHOLE)


def unequal(n: Node) -> list[Tensor]:
    """NotEqual."""
    return n.made("Not", n.write("Equal", *(one.name for one in n.inputs)))


def remainder(n: Node) -> list[Tensor]:
    """FloorMod of integers: with the divisor's sign."""
    if n.kind() not in WHOLE:
        raise Refused("FloorMod: of other than integers")
    return n.made("Mod", *(one.name for one in n.inputs))


def running_sum(n: Node) -> list[Tensor]:
    """Cumsum along a constant axis."""
    if n.kind() not in _NUMBERS:
        raise Refused("Cumsum: of a type that is not read")
    [axis] = n.integers(1)
    at = n.write("Squeeze", n.write.integers(axis))
    return n.made("CumSum", n.inputs[0].name, at, exclusive=int(n.flag("exclusive")), reverse=int(n.flag("reverse")))


def tiled(n: Node) -> list[Tensor]:
    """Tile."""
    return n.made("Tile", n.inputs[0].name, n.write("Cast", n.inputs[1].name, to=_INT64))


def broadcast(n: Node) -> list[Tensor]:
    """BroadcastTo a shape that may be computed."""
    return n.made("Expand", n.inputs[0].name, n.write("Cast", n.inputs[1].name, to=_INT64))


def points(n: Node) -> list[Tensor]:
    """GatherNd."""
    return n.made("GatherND", n.inputs[0].name, n.write("Cast", n.inputs[1].name, to=_INT64))


def of_truths(operator: str) -> Rule:
    """Any and All over constant axes."""

    def rule(n: Node) -> list[Tensor]:
        keep = int(n.flag("keep_dims"))
        return [Tensor(n.write.of_truths(operator, n.inputs[0].name, n.integers(1), keep))]

    return rule


def largest(operator: str) -> Rule:
    """ArgMax and ArgMin along a constant axis; of equal numbers the first."""

    def rule(n: Node) -> list[Tensor]:
        [axis] = n.integers(1)
        made = n.write(operator, n.inputs[0].name, axis=axis, keepdims=0)
        kind = n.onnx_kind("output_type") if "output_type" in n.attributes else _INT64
        return [Tensor(made)] if kind == _INT64 else n.made("Cast", made, to=kind)

    return rule
