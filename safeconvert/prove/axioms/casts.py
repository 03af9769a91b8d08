"""Cast."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto

from safeconvert.prove.axioms.affine import unary
from safeconvert.prove.axioms.axiom import Axiom
from safeconvert.prove.axioms.same import same
from safeconvert.prove.kernel.layout import Value
from safeconvert.prove.kernel.node import Node

_TYPE = "it is to a type that every version knows"
_ZERO = "what a number is compared with is zero"
_SINCE = 6
"""The version since which the type is a number; later ones know more types, and say how those of eight bits are rounded."""
_TYPES = {
    TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.INT8, TensorProto.INT16, TensorProto.INT32, TensorProto.INT64,
    TensorProto.UINT8, TensorProto.UINT16, TensorProto.UINT32, TensorProto.UINT64, TensorProto.BOOL,
}  # fmt: skip


def _cast(n: Node) -> list[Value]:
    kind = n.attributes.get("to")
    if n.operator[2] < _SINCE or not AXIOM.holds(n.store, _TYPE, kind in _TYPES):
        return same(n)
    AXIOM.use(n.store)
    return [unary(n.store, "Cast", n.value(), (kind,))]


def _not(n: Node) -> list[Value]:
    value = n.value()
    term = value.term
    if term.operator != "Equal":
        return same(n)
    one, two = term.operands
    zero, number = (one, two) if one.operator == "constant" else (two, one)
    values = zero.constants[0].values if zero.operator == "constant" else np.ones(1)
    plain = term.setting[2] in ((), tuple(range(len(number.shape)))) and number.shape == term.shape
    if values.dtype.kind == "b" or not plain or not AXIOM.holds(n.store, _ZERO, not values.any()):
        return same(n)
    AXIOM.use(n.store)
    return [unary(n.store, "Cast", Value(number, value.groups), (TensorProto.BOOL,))]


AXIOM = Axiom(
    "casts",
    "A Cast to a type of 16 bits and more, to integers or to truths is one function in every version of the operator, whatever it says of other types; a number's Cast to a truth "
    "is that it is not 0.",
    (_TYPE, _ZERO),
    {"Cast": _cast, "Not": _not},
)
