"""BatchNormalization."""

from __future__ import annotations

import numpy as np

from safeconvert.prove.axioms.affine import affine
from safeconvert.prove.axioms.axiom import Axiom
from safeconvert.prove.kernel.layout import Value, along
from safeconvert.prove.kernel.node import Node

_INFERENCE = "it is at inference"


def _batch_normalization(n: Node) -> list[Value]:
    value, rest = n.value(), len(n.value().groups) - 2
    training = n.attributes.get("training_mode", 0) or (n.operator[2] < 7 and not n.attributes.get("is_test", 0))
    AXIOM.require(n.store, _INFERENCE, not training)
    AXIOM.use(n.store)
    gamma, beta, mean, variance = (n.real(place).reshape((1, -1) + (1,) * rest) for place in range(1, 5))
    factor = gamma / np.sqrt(variance + n.attributes["epsilon"])
    size = np.abs(beta) + np.abs(mean * factor)
    s, b, m = (along(array, value) for array in (factor, beta - mean * factor, size))
    return [Value(affine(n.store, value.term, s, b, m), value.groups)]


AXIOM = Axiom(
    "batch normalization",
    "BatchNormalization(x) = x·s + (β - μ·s) with s = γ/√(σ² + ε), along the second axis.",
    (_INFERENCE,),
    {"BatchNormalization": _batch_normalization},
)
