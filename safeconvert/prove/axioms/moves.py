"""Transpose, and all that gives another shape."""

from __future__ import annotations

from safeconvert.prove.axioms.axiom import Axiom
from safeconvert.prove.kernel.layout import Value, reshaped, transposed
from safeconvert.prove.kernel.node import Node

_INFERENCE = "a Dropout is at inference"


def _transpose(n: Node) -> list[Value]:
    AXIOM.use(n.store)
    return [transposed(n.store, n.value(), n.attributes.get("perm") or tuple(reversed(range(len(n.value().groups)))))]


def _reshape(n: Node) -> list[Value]:
    AXIOM.use(n.store)
    return [reshaped(n.store, n.value(), n.shape)]


def _identity(n: Node) -> list[Value]:
    training = n.constant(2)
    inside = n.operator[1] == "Dropout" and n.operator[2] < 7 and not n.attributes.get("is_test", 0)
    AXIOM.require(n.store, _INFERENCE, (training is None or not training.any()) and not inside)
    return [n.value()]


AXIOM = Axiom(
    "moves of elements",
    "Transpose, Reshape, Flatten, Squeeze and Unsqueeze change no number: they say in which order of axes a tensor is held.",
    (_INFERENCE,),
    {"Transpose": _transpose, "Reshape": _reshape, "Flatten": _reshape, "Squeeze": _reshape, "Unsqueeze": _reshape,
     "Identity": _identity, "Dropout": _identity},
)  # fmt: skip
