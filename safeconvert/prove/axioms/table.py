"""Which axiom reads which ONNX operator first; all others are taken as they are (`same`)."""

from __future__ import annotations

from collections.abc import Mapping

from safeconvert.core.reference import BY_AXIS
from safeconvert.prove.axioms import (
    activations,
    affine,
    averages,
    casts,
    choice,
    clips,
    contraction,
    convolution,
    einsums,
    group_products,
    groups,
    inward,
    joined_maps,
    joining,
    mixtures,
    moves,
    neutral,
    normalization,
    oddness,
    padding,
    pairwise,
    places,
    pooling,
    products,
    recurrence,
    reductions,
    reordered,
    same,
    softmaxes,
    spreading,
    sums,
    tensor_products,
    transposed,
    unrolled,
    weights,
    wrapped,
)  # fmt: skip
from safeconvert.prove.axioms.axiom import Axiom, Rule
from safeconvert.prove.kernel.layout import Value
from safeconvert.prove.kernel.node import Node
from safeconvert.prove.kernel.terms import Refused

AXIOMS: tuple[Axiom, ...] = (
    same.AXIOM, moves.AXIOM, affine.AXIOM, weights.AXIOM, sums.AXIOM, products.AXIOM, normalization.AXIOM, clips.AXIOM, activations.AXIOM,
    contraction.AXIOM, convolution.AXIOM, tensor_products.AXIOM, reductions.AXIOM, pooling.AXIOM, softmaxes.AXIOM, joining.AXIOM,
    places.AXIOM, padding.AXIOM, choice.AXIOM, spreading.AXIOM,
    normalization.SAMPLE, pairwise.AXIOM, einsums.AXIOM, recurrence.AXIOM, transposed.AXIOM, oddness.AXIOM,
    inward.AXIOM, mixtures.AXIOM, unrolled.AXIOM, wrapped.AXIOM, casts.AXIOM, neutral.AXIOM, groups.AXIOM, group_products.AXIOM, reordered.AXIOM, averages.AXIOM,
    joined_maps.AXIOM,
)  # fmt: skip
OFTEN = frozenset(axiom.name for axiom in AXIOMS) - {
    inward.AXIOM.name,
    mixtures.AXIOM.name,
    unrolled.AXIOM.name,
    averages.AXIOM.name,
}
"""Axioms that are tried first; the others make more terms than they read."""
NEAR_BY = OFTEN | {inward.AXIOM.name, mixtures.AXIOM.name, averages.AXIOM.name}
"""Axioms that are tried next: those that need no more than what lies between near cut points."""


def _broadcast_from_the_last_axis(rule: Rule) -> Rule:
    """A rule for an operator that before set 7 broadcasts otherwise: it says nothing of it there."""

    def since(n: Node) -> list[Value]:
        if n.operator[2] < 7:
            raise Refused(f"{n.operator[1]}: of a set before 7, which broadcasts along other axes")
        return rule(n)

    return since


RULES: Mapping[str, Rule] = {
    operator: _broadcast_from_the_last_axis(rule) if operator in BY_AXIS else rule
    for axiom in AXIOMS
    for operator, rule in axiom.operators.items()
}
