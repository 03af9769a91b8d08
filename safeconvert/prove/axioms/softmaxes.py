"""Softmax and LogSoftmax."""

from __future__ import annotations

from safeconvert.prove.axioms.axiom import Axiom
from safeconvert.prove.kernel.layout import Value
from safeconvert.prove.kernel.node import Node

_ONE_AXIS = "it is along one axis, which before opset 13 is so for the last one only"


def _softmax(n: Node) -> list[Value]:
    value = n.value()
    axis = n.attributes["axis"] % len(value.groups)
    AXIOM.require(n.store, _ONE_AXIS, n.operator[2] >= 13 or axis == len(value.groups) - 1)
    AXIOM.use(n.store)
    axes = tuple(sorted(value.groups[axis]))
    return [Value(n.store.term(n.operator[1], value.term.shape, (value.term,), axes), value.groups)]


AXIOM = Axiom(
    "softmax along an axis",
    "Softmax and LogSoftmax along one axis commute with any order of the others.",
    (_ONE_AXIS,),
    {"Softmax": _softmax, "LogSoftmax": _softmax},
)
