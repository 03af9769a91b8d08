"""Match tensors of two graphs by their values on the probes.

A layout-invariant signature proposes pairs; each is confirmed element by element under one order of axes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from safeconvert.compare.relation import Relation, find
from safeconvert.graph.view import GraphView

Array = np.ndarray[Any, Any]
Probes = Sequence[Array]


@dataclass(frozen=True)
class Pair:
    """A cut point: a target tensor that carries the values of a source tensor.

    Attributes:
        target: name in the target graph.
        source: name in the source graph.
        relation: order of the source's axes in the target.
        assumed: the values differ, and the pair was concluded from the neighbourhood: a fault lies in front of it.
    """

    target: str
    source: str
    relation: Relation
    assumed: bool = False


@dataclass(frozen=True)
class Signature:
    """What stays the same when axes move: extremes and the mean square, of each probe."""

    size: int
    figures: Array
    scale: float
    static: bool


def signature(probes: Probes) -> Signature:
    """The layout-invariant signature of a tensor's values."""
    figures = []
    for value in probes:
        real = value.astype(np.float64).ravel()
        if not real.size:
            figures.append((0.0, 0.0, 0.0))
            continue
        figures.append((float(real.max()), float(real.min()), float(np.sqrt(np.mean(real * real)))))
    table = np.array(figures)
    first = probes[0]
    static = first.size == 0 or (
        all(np.array_equal(first, other) for other in probes[1:]) and (first.dtype.kind not in "f" or _flat(first))
    )
    return Signature(int(first.size), table, float(np.abs(np.nan_to_num(table)).max(initial=0.0)), static)


def _flat(value: Array) -> bool:
    return bool(value.size and np.all(value == value.ravel()[0]))


@dataclass(frozen=True)
class Matcher:
    """Finds the source tensors that carry a target tensor's values.

    Attributes:
        source: the source graph.
        values: values of every source tensor on the probes.
        rtol: how far values may be apart, of a tensor's largest magnitude.
        observed: the source is a native model's layers: a tensor of the same shape goes first, one of another first size is
            none, and axes are in an order that a layout of images has, since what its layers move is seen.
    """

    source: GraphView
    values: Mapping[str, Probes]
    rtol: float
    observed: bool = False
    signatures: Mapping[str, Signature] = field(init=False)
    by_size: Mapping[int, Sequence[str]] = field(init=False)

    def __post_init__(self) -> None:
        signatures = {name: signature(probes) for name, probes in self.values.items()}
        by_size: dict[int, list[str]] = {}
        for name in self.values:
            by_size.setdefault(signatures[name].size, []).append(name)
        object.__setattr__(self, "signatures", signatures)
        object.__setattr__(self, "by_size", by_size)

    def match(
        self,
        target: GraphView,
        name: str,
        probes: Probes,
        known: Mapping[str, Pair],
        among: Iterable[str] | None = None,
    ) -> Pair | None:
        """The source tensor that a target tensor equals: same neighbourhood first, then same operator, then order."""
        wanted = signature(probes)
        if not np.isfinite(wanted.figures).all():
            return None
        pool = (
            self.by_size.get(wanted.size, ())
            if among is None
            else [other for other in among if self.signatures[other].size == wanted.size]
        )
        preferred = list({pair.relation: None for pair in self._neighbours(target, name, known)})
        sizes = sorted(probes[0].shape)
        nearest = sorted(pool, key=lambda other: self._distance(target, name, other, known))
        if self.observed:
            nearest = [other for other in nearest if self.values[other][0].shape[:1] == probes[0].shape[:1]]
            nearest.sort(key=lambda other: sorted(self.values[other][0].shape) != sizes)
        for candidate in nearest:
            theirs = self.signatures[candidate]
            if np.abs(theirs.figures - wanted.figures).max() > 4 * self.rtol * max(theirs.scale, 1e-30):
                continue
            if wanted.static and self._distance(target, name, candidate, known) > 0:
                continue
            relation = find(self.values[candidate], probes, self.rtol, preferred, self.observed)
            if relation is not None:
                return Pair(name, candidate, relation)
        return None

    def _neighbours(self, target: GraphView, name: str, known: Mapping[str, Pair]) -> list[Pair]:
        if name not in target.maker:
            return []
        return [known[read] for read in target.data_inputs(target.maker[name]) if read in known]

    def _distance(self, target: GraphView, name: str, candidate: str, known: Mapping[str, Pair]) -> int:
        """0: same operator on matched inputs; 1: same operator; 2: another."""
        if name not in target.maker or candidate not in self.source.maker:
            return 2
        ours, theirs = self.source.maker[candidate], target.maker[name]
        if self.source.nodes[ours].op_type != target.nodes[theirs].op_type:
            return 2
        read = set(self.source.data_inputs(ours))
        return 0 if any(pair.source in read for pair in self._neighbours(target, name, known)) else 1
