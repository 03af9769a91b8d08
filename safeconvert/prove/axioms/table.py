"""Which axiom reads which ONNX operator first; all others are taken as they are (`same`)."""

from __future__ import annotations

from collections.abc import Mapping

from safeconvert.prove.axioms import (
    activations,
    affine,
    casts,
    choice,
    clips,
    contraction,
    convolution,
    einsums,
    inward,
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

AXIOMS: tuple[Axiom, ...] = (
    same.AXIOM, moves.AXIOM, affine.AXIOM, weights.AXIOM, sums.AXIOM, products.AXIOM, normalization.AXIOM, clips.AXIOM, activations.AXIOM,
    contraction.AXIOM, convolution.AXIOM, tensor_products.AXIOM, reductions.AXIOM, pooling.AXIOM, softmaxes.AXIOM, joining.AXIOM,
    places.AXIOM, padding.AXIOM, choice.AXIOM, spreading.AXIOM,
    normalization.SAMPLE, pairwise.AXIOM, einsums.AXIOM, recurrence.AXIOM, transposed.AXIOM, oddness.AXIOM,
    inward.AXIOM, mixtures.AXIOM, unrolled.AXIOM, wrapped.AXIOM, casts.AXIOM, neutral.AXIOM,
)  # fmt: skip
OFTEN = frozenset(axiom.name for axiom in AXIOMS) - {inward.AXIOM.name, mixtures.AXIOM.name, unrolled.AXIOM.name}
"""Axioms that are tried first; the others make more terms than they read."""
NEAR_BY = OFTEN | {inward.AXIOM.name, mixtures.AXIOM.name}
"""Axioms that are tried next: those that need no more than what lies between near cut points."""
RULES: Mapping[str, Rule] = {operator: rule for axiom in AXIOMS for operator, rule in axiom.operators.items()}
