"""What is asked of two graphs together: what their saturated outputs were before, and what only one of them has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import onnx

from safeconvert.graph.differing_rows import differing_rows, has_tables
from safeconvert.graph.inlined import inlined
from safeconvert.graph.inventory import one_sided
from safeconvert.graph.own_bounds import own_bounds
from safeconvert.graph.own_sizes import own_sizes
from safeconvert.graph.saturation import before_saturation, exposed
from safeconvert.graph.stored import light_graph, open_graph
from safeconvert.graph.thresholds import other_turns

from .coverage import exercised


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
    models = [inlined(onnx.load(path)) for path in paths]
    found = [before_saturation(model) for model in models]
    common = [pair for pair in indices if all(pair[side] in found[side] for side in (0, 1))]
    for side, (model, target) in enumerate(zip(models, targets, strict=True)):
        if common:
            onnx.save(exposed(model, {pair[side]: found[side][pair[side]][1] for pair in common}), target)
    return [
        {"source": found[0].get(pair[0], ("", ""))[0], "target": found[1].get(pair[1], ("", ""))[0]} for pair in indices
    ]


def only_on_one_side(source: str, target: str, groups: Sequence[Mapping[str, str]]) -> list[str]:
    """Control flow, tables and inputs that only one of two graphs has, and bounds that the target alone has and no input reached.

    Args:
        source, target: the graphs; see `graph.inventory` and `graph.own_bounds`.
        groups: for each call the `.npy` file of every input of the target, in its order.
    """
    graphs = [inlined(light_graph(path, large=0)) for path in (source, target)]
    return [*one_sided(*graphs), *_unreached(target, own_bounds(*graphs), groups)]


def other_rows(source: str, target: str) -> list[int]:
    """Rows in which the tables of two graphs differ; see `graph.differing_rows`."""
    if not all(has_tables(inlined(light_graph(path, large=0))) for path in (source, target)):
        return []
    return differing_rows(inlined(open_graph(source)), inlined(open_graph(target)))


def sizes_of_one(source: str, target: str) -> list[int]:
    """Whole numbers that only one of two graphs holds; see `graph.own_sizes`."""
    return own_sizes(*(inlined(light_graph(path, large=0)) for path in (source, target)))


def turns_of_one(source: str, target: str) -> list[float]:
    """Numbers of inputs at which only one of two graphs changes its mind; see `graph.thresholds`."""
    return list(other_turns(*(inlined(light_graph(path, large=0)) for path in (source, target))))


def _unreached(target: str, bounds: Sequence[str], groups: Sequence[Mapping[str, str]]) -> list[str]:
    """A line for each of the bounds that none of the calls reached; [] where ONNX Runtime does not tell."""
    if not bounds:
        return []
    answer = exercised(target, groups)
    reached = {answer["items"][index] for items in answer["groups"] for index in items}
    missed = [item for item in answer["items"] if item in bounds and item not in reached]
    return [f"no input reached {item}, a bound that only the target has" for item in missed]
