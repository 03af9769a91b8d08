"""How far a target is from its source along the layers: at every cut point, by its own fault and by those in front."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from safeconvert.core.memory import give_back
from safeconvert.graph.execution import each_part, remade
from safeconvert.graph.view import GraphView
from safeconvert.localize.alignment import Alignment
from safeconvert.localize.matching import Pair

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class LayerError:
    """One cut point. Errors are the largest distance over the probes, relative to the source's largest magnitude there.

    Attributes:
        source, target: names of the nodes that make the tensors; "" for a graph's input.
        operator: of the target's node.
        source_tensor, target_tensor: the pair.
        isolated: with the source's values going in at the cut points in front; None where that does not run.
        propagated: in the target as it was given; None where that does not run.
    """

    source: str
    target: str
    operator: str
    source_tensor: str
    target_tensor: str
    isolated: float | None
    propagated: float | None


def layer_errors(alignment: Alignment) -> list[LayerError]:
    """The errors at every cut point that a node of the target makes, in the target's order."""
    target = alignment.target
    pairs = sorted(
        (pair for pair in alignment.pairs.values() if pair.target in target.maker),
        key=lambda pair: target.maker[pair.target],
    )
    try:
        isolated = _errors(alignment, pairs, _isolated(alignment, pairs))
    except RuntimeError:
        isolated = {}
    give_back()
    propagated = propagated_errors(alignment, target, pairs)
    source = alignment.source
    found = []
    for pair in pairs:
        node = target.nodes[target.maker[pair.target]]
        ours = source.nodes[source.maker[pair.source]].name if pair.source in source.maker else ""
        name = pair.target
        found.append(
            LayerError(ours, node.name, node.op_type, pair.source, name, isolated.get(name), propagated.get(name))
        )
    return found


def propagated_errors(alignment: Alignment, candidate: GraphView, pairs: Sequence[Pair]) -> dict[str, float]:
    """By target tensor, its error in a candidate fed the alignment's probes; without those that it does not make."""
    feeds = [{name: alignment.target_values[name][n] for name in candidate.inputs} for n in _probes(alignment)]
    return _errors(alignment, pairs, each_part(candidate, feeds, [pair.target for pair in pairs]))


def _isolated(alignment: Alignment, pairs: Sequence[Pair]) -> Iterator[dict[str, Array]]:
    """What each cut point becomes where the source's values go in at those in front of it, probe by probe. Raises RuntimeError."""
    feeds = (
        {
            name: pair.relation.to_target(
                alignment.source_values[pair.source][probe], alignment.target_values[name][probe].shape
            ).astype(alignment.target_values[name][probe].dtype, copy=False)
            for name, pair in alignment.pairs.items()
        }
        for probe in _probes(alignment)
    )
    return remade(alignment.target, feeds, [pair.target for pair in pairs])


def _errors(alignment: Alignment, pairs: Sequence[Pair], rows: Iterable[Mapping[str, Array]]) -> dict[str, float]:
    """As `Region.isolated`: the largest distance on any probe, by the largest magnitude on any; of tensors that every probe gives.

    The values of one probe are in memory at a time, for each of them takes as much as the alignment holds of it.
    """
    sides: dict[str, list[tuple[float, float]]] = {}
    probes, each_row = _probes(alignment), iter(rows)
    for probe in probes:
        row = next(each_row)
        for pair in pairs:
            if pair.target in row:
                wanted = alignment.source_values[pair.source][probe].transpose(pair.relation.order)
                sides.setdefault(pair.target, []).append(_distance(wanted, row[pair.target]))
        del row  # before the next is made
    found = {}
    for name, each in sides.items():
        if len(each) == len(probes):
            apart, scale = (max(side) for side in zip(*each, strict=True))
            found[name] = apart / scale if scale else apart
    return found


def _distance(wanted: Array, got: Array) -> tuple[float, float]:
    """(largest distance, largest magnitude of what is wanted); inf where NaN or Inf are at other positions."""
    if got.size != wanted.size:
        return float("inf"), 0.0
    one, two = wanted.astype(np.float64), got.reshape(wanted.shape).astype(np.float64)
    finite = np.isfinite(one)
    if not np.array_equal(finite, np.isfinite(two)) or not np.array_equal(one[~finite], two[~finite], equal_nan=True):
        return float("inf"), 0.0
    return float(np.abs(one[finite] - two[finite]).max(initial=0.0)), float(np.abs(one[finite]).max(initial=0.0))


def _probes(alignment: Alignment) -> range:
    return range(len(next(iter(alignment.source_values.values()))))
