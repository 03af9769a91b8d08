"""What is asked of two graphs together: what their saturated outputs were before, and what only one of them has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import onnx

from safeconvert.graph.inventory import one_sided
from safeconvert.graph.saturation import before_saturation, exposed
from safeconvert.graph.stored import light_graph


def expose_logits(
    paths: Sequence[str], targets: Sequence[str], indices: Sequence[Sequence[int]]
) -> list[dict[str, Any]]:
    """Write copies of two graphs that give out what the outputs at these indices were before they were saturated.

    Args:
        paths: the source's graph and the target's.
        targets: where the copies go.
        indices: for each output requested, its index in either graph.

    Returns:
        For each of `indices`, `source` and `target`: the operator that saturates it there, or "" where none does. Only outputs with an
        operator on both sides are in the copies, under the name `before_N`, N its index in that graph.
    """
    models = [onnx.load(path) for path in paths]
    found = [before_saturation(model) for model in models]
    common = [pair for pair in indices if all(pair[side] in found[side] for side in (0, 1))]
    for side, (model, target) in enumerate(zip(models, targets, strict=True)):
        if common:
            onnx.save(exposed(model, {pair[side]: found[side][pair[side]][1] for pair in common}), target)
    return [
        {"source": found[0].get(pair[0], ("", ""))[0], "target": found[1].get(pair[1], ("", ""))[0]} for pair in indices
    ]


def only_on_one_side(source: str, target: str) -> list[str]:
    """Control flow, tables and inputs that only one of two graphs has; see `graph.inventory`."""
    return one_sided(*(light_graph(path) for path in (source, target)))
