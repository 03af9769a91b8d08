"""A BatchNormalization that was folded into weights with another epsilon: the weights differ, and one number explains it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnx

from safeconvert.core.faults import FaultKind
from safeconvert.graph.attributes import attributes
from safeconvert.graph.edits import SetAttribute, apply
from safeconvert.graph.execution import run_part
from safeconvert.localize.isolated import IsolatedRegion
from safeconvert.localize.kinds import Difference

Array = np.ndarray[Any, Any]
_USUAL = (0.0, 1e-12, 1e-8, 1e-7, 1e-6, 1e-5, 1.001e-5, 2e-5, 1e-4, 1e-3, 2e-3, 1e-2, 0.1, 0.5, 1.0)
_STEPS = 30  # of a search between two usual values


def as_epsilon(part: IsolatedRegion, chosen: Sequence[Difference]) -> Difference | None:
    """One fault of a BatchNormalization's epsilon in the place of weights that differ; None where that is not it.

    Args:
        part: the region.
        chosen: the differences that make it right when undone.
    """
    norms = [node for node in part.source.nodes if node.op_type == "BatchNormalization"]
    if not norms or {one.kind for one in chosen} != {FaultKind.WEIGHTS}:
        return None
    wrong = part.run(())
    if wrong is None:
        return None
    for norm in norms:
        other = _epsilon(part, norm, wrong)
        if other is not None:
            own = attributes(norm, part.source.opset, [None] * 5)["epsilon"]
            evidence = f"epsilon: {own:.4g} in the source, {other:.4g} in the target, where it is part of the weights"
            edits = tuple(edit for one in chosen for edit in one.edits)
            return Difference(FaultKind.HYPERPARAMETERS, chosen[0].target, norm.name, evidence, edits)
    return None


def _epsilon(part: IsolatedRegion, norm: onnx.NodeProto, wrong: Sequence[Array]) -> float | None:
    """The epsilon with which the source's region gives what the target's gives; None where there is none."""
    scale = max(float(np.abs(value).max(initial=0.0)) for value in wrong)

    def apart(epsilon: float) -> float:
        view = apply(part.source, [SetAttribute(norm.name, "epsilon", float(epsilon))])
        exit_pair = part.region.exit
        found = run_part(view, part.source_feeds, None, [exit_pair.source])
        if not all(exit_pair.source in row for row in found):
            return float("inf")
        moved = [row[exit_pair.source].transpose(exit_pair.relation.order) for row in found]
        if any(one.size != two.size for one, two in zip(moved, wrong, strict=True)):
            return float("inf")
        return max(
            float(np.abs(one.reshape(two.shape) - two).max(initial=0.0)) for one, two in zip(moved, wrong, strict=True)
        )

    limit = part.rtol * scale
    found = [apart(epsilon) for epsilon in _USUAL]
    index = int(np.argmin(found))
    if found[index] <= limit:
        return _USUAL[index]
    low, high = _USUAL[max(index - 1, 0)], _USUAL[min(index + 1, len(_USUAL) - 1)]
    best = _least(apart, low, high)
    return best if apart(best) <= limit else None


def _least(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a function with one minimum between two numbers is least, by thirds."""
    for _ in range(_STEPS):
        one, two = low + (high - low) / 3, high - (high - low) / 3
        if function(one) <= function(two):
            high = two
        else:
            low = one
    return (low + high) / 2
