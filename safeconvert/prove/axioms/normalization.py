"""BatchNormalization, and normalization by the mean and variance of each sample."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from safeconvert.prove.axioms.affine import affine, scale, unary
from safeconvert.prove.axioms.axiom import Axiom
from safeconvert.prove.axioms.products import product
from safeconvert.prove.axioms.reductions import averaged
from safeconvert.prove.axioms.sums import total
from safeconvert.prove.kernel.layout import Value, along
from safeconvert.prove.kernel.node import Node
from safeconvert.prove.kernel.terms import Array, Refused

_INFERENCE = "it is at inference"


def _batch_normalization(n: Node) -> list[Value]:
    value, rest = n.value(), len(n.value().groups) - 2
    training = n.attributes.get("training_mode", 0) or (n.operator[2] < 7 and not n.attributes.get("is_test", 0))
    AXIOM.require(n.store, _INFERENCE, not training)
    AXIOM.use(n.store)
    gamma, beta, mean, variance = (n.real(index).reshape((1, -1) + (1,) * rest) for index in range(1, 5))
    factor = gamma / np.sqrt(variance + n.attributes["epsilon"])
    size = np.abs(beta) + np.abs(mean * factor)
    s, b, m = (along(array, value) for array in (factor, beta - mean * factor, size))
    return [Value(affine(n.store, value.term, s, b, m), value.groups)]


def normalized(n: Node, axes: Sequence[int], gamma: Array, beta: Array | None) -> Value:
    """A sample less its mean, divided by its deviation, over some axes; scaled and shifted by constants that are broadcast to it."""
    store, value = n.store, n.value()
    SAMPLE.use(store)
    centred = total(store, value, scale(store, averaged(store, value, axes), -1.0))
    variance = averaged(store, product(store, centred, centred), axes)
    raised = Value(affine(store, variance.term, 1.0, n.attributes["epsilon"]), variance.groups)
    made = product(store, centred, unary(store, "Reciprocal", unary(store, "Sqrt", raised)))
    offset = 0.0 if beta is None else along(beta, made)
    return Value(affine(store, made.term, along(gamma, made), offset), made.groups)


def _layer_normalization(n: Node) -> list[Value]:
    rank = len(n.value().groups)
    axes = range(n.attributes["axis"] % rank, rank)
    return [normalized(n, axes, n.real(1), None if n.constant(2) is None else n.real(2))]


def _instance_normalization(n: Node) -> list[Value]:
    rank = len(n.value().groups)
    form = (1, -1) + (1,) * (rank - 2)
    if rank < 3:
        raise Refused("InstanceNormalization: of no places")
    return [normalized(n, range(2, rank), n.real(1).reshape(form), n.real(2).reshape(form))]


AXIOM = Axiom(
    "batch normalization",
    "BatchNormalization(x) = x·s + (β - μ·s) with s = γ/√(σ² + ε), along the second axis.",
    (_INFERENCE,),
    {"BatchNormalization": _batch_normalization},
)
SAMPLE = Axiom(
    "normalization of samples",
    "LayerNormalization and InstanceNormalization are (x - μ)·(1/√(v + ε))·γ + β, where μ is the mean of x, and v that of (x - μ)², over the axes behind "
    "the one named, or behind the second.",
    (),
    {"LayerNormalization": _layer_normalization, "InstanceNormalization": _instance_normalization},
)
