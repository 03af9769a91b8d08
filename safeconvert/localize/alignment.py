"""Cut points between two graphs, and the regions between them that do not compute the same (design, observation 2).

Both graphs run on a few probes and their tensors are matched by value. Where a part of the target and everything behind
it is unmatched, the nearest pair of tensors is found that, once the source's values replace the target's, makes
what follows match again: between the cut points in front and that pair lies a fault. Its values are substituted, and the
search goes on behind it, so that later faults are found as exactly as the first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx

from safeconvert.compare.relation import Relation, identity, is_layout, possible
from safeconvert.graph.execution import run_part
from safeconvert.graph.operators import CHANNELS_SECOND, REORDERING
from safeconvert.graph.view import GraphView
from safeconvert.localize.matching import Matcher, Pair, Probes

Array = np.ndarray[Any, Any]
_DEPTH = 8  # nodes that a fault's region may be deep on either side
_WINDOW = 16  # nodes behind a supposed pair that are run to see whether they match again


@dataclass(frozen=True)
class Region:
    """Nodes between cut points whose result differs.

    Attributes:
        exit: the pair behind the region; its target value differs from the source's although what goes in is equal.
        target_nodes: numbers of the target's nodes in between.
        source_nodes: numbers of the source's nodes in between.
        entries: the cut points in front, as the target reads them.
        isolated: largest difference at the exit with the source's values going in, relative to the source's largest
            magnitude there; inf where shapes differ.
        confirmed: what follows matches once the source's value stands at the exit.
    """

    exit: Pair
    target_nodes: tuple[int, ...]
    source_nodes: tuple[int, ...]
    entries: tuple[Pair, ...]
    isolated: float
    confirmed: bool


@dataclass(frozen=True)
class Alignment:
    """What two graphs have in common on the probes.

    Attributes:
        source, target: the graphs.
        pairs: by target tensor, every cut point.
        regions: where they differ, in the target's order.
        source_values: the source's tensors on the probes.
        target_values: the target's, with the source's substituted behind each region.
        complete: whether every output of the target was reached.
    """

    source: GraphView
    target: GraphView
    pairs: Mapping[str, Pair]
    regions: tuple[Region, ...]
    source_values: Mapping[str, Probes]
    target_values: Mapping[str, Probes]
    complete: bool


class _Search:
    """State of one alignment."""

    def __init__(
        self,
        source: GraphView,
        target: GraphView,
        feeds: Sequence[Mapping[str, Array]],
        inputs: Mapping[str, Pair],
        outputs: Mapping[str, str],
        rtol: float,
        known: Mapping[str, Probes] | None,
    ) -> None:
        self.source, self.target, self.outputs, self.rtol = source, target, outputs, rtol
        self.observed = known is not None
        made = run_part(source, feeds) if known is None else _rows(known)
        self.source_values = _columns([{**feed, **row} for feed, row in zip(feeds, made, strict=True)])
        self.matcher = Matcher(source, self.source_values, rtol, self.observed)
        self.pairs: dict[str, Pair] = dict(inputs)
        self.values: dict[str, list[Array]] = {}
        for name, pair in inputs.items():
            wanted = self.source_values[pair.source]
            self.values[name] = [value.transpose(pair.relation.order) for value in wanted]
        self.regions: list[Region] = []
        self.evaluate(range(len(target.nodes)))

    def evaluate(self, numbers: Iterable[int]) -> None:
        """Run nodes of the target on what is known, and match what comes out."""
        numbers = list(numbers)
        made = {name for number in numbers for name in self.target.nodes[number].output}
        feeds = _rows({name: value for name, value in self.values.items() if name not in made or name in self.pairs})
        fresh = _columns(run_part(self.target, feeds, numbers))
        for name in made:
            if name not in self.pairs:
                self.values.pop(name, None)
        self.values.update(fresh)
        for number in numbers:
            for name in self.target.nodes[number].output:
                if name in fresh and name not in self.pairs:
                    pair = self.matcher.match(self.target, name, fresh[name], self.pairs)
                    if pair is not None and self._plausible(pair):
                        self.pairs[name] = pair

    def _plausible(self, pair: Pair) -> bool:
        """A graph output can only correspond to the source's output that it is paired with."""
        return self.outputs.get(pair.target, pair.source) == pair.source or pair.source not in self.outputs.values()

    def sound(self) -> set[int]:
        """Nodes that make a matched tensor, or something that one depends on."""
        kept: set[int] = set()
        for number in range(len(self.target.nodes) - 1, -1, -1):
            node = self.target.nodes[number]
            matched = any(name in self.pairs for name in node.output)
            if matched or any(user in kept for name in node.output for user in self.target.users.get(name, ())):
                kept.add(number)
        return kept

    def step(self) -> bool:
        """Find the next region and substitute behind it. False where there is none."""
        sound = self.sound()
        poisoned = [number for number in range(len(self.target.nodes)) if number not in sound]
        for front in poisoned:
            if any(self.target.maker.get(name) in set(poisoned) for name in self.target.data_inputs(front)):
                continue
            found = self._exit(front, set(poisoned))
            if found is None:
                continue
            self._close(*found)
            return True
        return False

    def _exit(self, front: int, poisoned: set[int]) -> tuple[Pair, bool] | None:
        """The nearest pair behind a front node that makes what follows match again."""
        theirs = list(_downstream(self.target, front, poisoned))
        entries = [self.pairs[name].source for name in self._border(theirs[0][1]) if name in self.pairs]
        ours = self._source_side(entries)
        ours += [(1, self.outputs[name]) for _, name in theirs if name in self.outputs]
        fallback: Pair | None = None
        proposals = sorted(
            ((one, two) for one in theirs for two in ours), key=lambda both: _unlikely(self.target, self.source, *both)
        )
        for (_, name), (_, other) in proposals:
            for relation in self._relations(name, other):
                pair = Pair(name, other, relation, assumed=True)
                if not self._plausible(pair):
                    continue
                if self.outputs.get(name) == other or self._matches_behind(pair, poisoned):
                    return self._nearest(pair, [name for _, name in theirs], poisoned), True
                if fallback is None and self._same_operator(name, other):
                    fallback = pair
        return (fallback, False) if fallback is not None else None

    def _nearest(self, pair: Pair, names: Sequence[str], poisoned: set[int]) -> Pair:
        """The target's tensor that is nearest to an observed layer's, of those that make what follows match.

        A layer may be two of the graph's nodes (a convolution and its activation), of which either seems to do.
        """
        if not self.observed or pair.target in self.outputs:
            return pair
        ours = self.source_values[pair.source]
        best, least = pair, _relative(self._substitute(pair), self.values.get(pair.target))
        for name in names:
            if name == pair.target or name not in self.values or self.values[name][0].size != ours[0].size:
                continue
            other = Pair(name, pair.source, pair.relation, assumed=True)
            apart = _relative(self._substitute(other), self.values[name])
            if apart < least and self._plausible(other) and self._matches_behind(other, poisoned):
                best, least = other, apart
        return best

    def _source_side(self, entries: Sequence[str]) -> list[tuple[int, str]]:
        """Source tensors behind the cut points that no target tensor corresponds to, nearest first."""
        taken = {pair.source for pair in self.pairs.values()}
        found: dict[str, int] = {}
        level, depth = list(entries), 0
        seen = set(level)
        while level and depth <= _DEPTH:
            depth += 1
            following = []
            for name in level:
                for number in self.source.users.get(name, ()):
                    for made in self.source.nodes[number].output:
                        if made in seen or made not in self.source_values:
                            continue
                        seen.add(made)
                        following.append(made)
                        if made not in taken:
                            found[made] = depth
            level = following
        return sorted(((depth, name) for name, depth in found.items()), key=lambda item: item[0])

    def _border(self, name: str) -> list[str]:
        return self.target.slice_back(name, self.pairs)[1]

    def _relations(self, name: str, other: str) -> list[Relation]:
        ours = self.source_values[other][0]
        if self._same_operator(name, other) and self._operator(name) in CHANNELS_SECOND:
            return [identity(ours.ndim)]
        if name not in self.values:
            return self._neighbour_relations(name, ours.ndim)[:1]
        theirs = self.values[name][0]
        preferred = self._neighbour_relations(name, ours.ndim)
        if self._same_operator(name, other) and self._operator(name) not in REORDERING:
            return preferred
        if theirs.size == ours.size:
            found = possible(ours.shape, theirs.shape, preferred)
            return [relation for relation in found if not self.observed or is_layout(relation)][:4]
        return preferred[:1] if self._same_operator(name, other) else []

    def _neighbour_relations(self, name: str, rank: int) -> list[Relation]:
        """The orders of axes of the cut points in front, the commonest first, and the plain one.

        The plain one goes first behind an operator that gives its channels second, and behind a product of two tensors, which has
        an axis of either.
        """
        numbers, border = self.target.slice_back(name, self.pairs)
        counted = Counter(self.pairs[read].relation for read in border if read in self.pairs)
        plain = identity(rank)
        found = [relation for relation, _ in counted.most_common() if len(relation.order) == rank]
        if any(self._own_axes(self.target.nodes[number]) for number in numbers):
            found.insert(0, plain)
        return list(dict.fromkeys([*found, plain]))

    def _own_axes(self, node: onnx.NodeProto) -> bool:
        """Whether the axes of what a node gives are in an order of its own, whatever it reads."""
        product = node.op_type == "MatMul" and not any(name in self.target.constants for name in node.input)
        return product or node.op_type in CHANNELS_SECOND

    def _operator(self, name: str) -> str:
        number = self.target.maker.get(name)
        return self.target.nodes[number].op_type if number is not None else ""

    def _same_operator(self, name: str, other: str) -> bool:
        ours, theirs = self.source.maker.get(other), self.target.maker.get(name)
        return (
            ours is not None and theirs is not None
            and self.source.nodes[ours].op_type == self.target.nodes[theirs].op_type
        )  # fmt: skip

    def _substitute(self, pair: Pair) -> list[Array]:
        """The source's values in the target's order of axes and shape."""
        ours = self.source_values[pair.source]
        theirs = self.values.get(pair.target)
        moved = [value.transpose(pair.relation.order) for value in ours]
        if self.observed and theirs is not None and theirs[0].ndim == moved[0].ndim:
            return [np.ascontiguousarray(value) for value in moved]  # an exporter may have fixed a size that is free
        if theirs is not None and theirs[0].size == ours[0].size:
            return [value.reshape(shape.shape) for value, shape in zip(moved, theirs, strict=True)]
        return [np.ascontiguousarray(value) for value in moved]

    def _matches_behind(self, pair: Pair, poisoned: set[int]) -> bool:
        window = descendants(self.target, pair.target, poisoned)[:_WINDOW]
        if not window:
            return False
        made = {name for number in window for name in self.target.nodes[number].output}
        known = {name: value for name, value in self.values.items() if name not in made}
        known[pair.target] = self._substitute(pair)
        taken = {one.source for one in self.pairs.values()} | {pair.source}
        pairs = {**self.pairs, pair.target: pair}
        free = [name for name in self.source_values if name not in taken]
        fresh = _columns(run_part(self.target, _rows(known), window))
        for name, value in fresh.items():
            if name == pair.target or (self.matcher.signatures.get(name) is None and not value[0].size):
                continue
            match = self.matcher.match(self.target, name, value, pairs, free)
            if match is not None and self._plausible(match) and not self.matcher.signatures[match.source].static:
                return True
        return False

    def _close(self, pair: Pair, confirmed: bool) -> None:
        """Record the region in front of a pair, and go on behind it with the source's values."""
        target_nodes, border = self.target.slice_back(pair.target, self.pairs)
        entries = tuple(self.pairs[name] for name in border if name in self.pairs)
        source_nodes, entries = self._source_part(pair, entries)
        substituted = self._substitute(pair)
        isolated = _relative(substituted, self.values.get(pair.target))
        self.regions.append(Region(pair, tuple(target_nodes), tuple(source_nodes), entries, isolated, confirmed))
        self.values[pair.target] = substituted
        self.pairs[pair.target] = pair
        self.evaluate(descendants(self.target, pair.target, None))

    def _source_part(self, pair: Pair, entries: tuple[Pair, ...]) -> tuple[list[int], tuple[Pair, ...]]:
        """The source's nodes of a region, and its entries: those that only the source reads are added (of a sum left out)."""
        taken = {entry.source for entry in entries}
        if pair.source in taken:
            return [], entries
        numbers, border = self.source.slice_back(pair.source, taken)
        if taken.issuperset(border):
            return numbers, entries
        after = {
            name for number in descendants(self.target, pair.target, None) for name in self.target.nodes[number].output
        }
        known = {one.source: one for one in self.pairs.values() if one.target not in after and one.source not in taken}
        numbers, border = self.source.slice_back(pair.source, taken | known.keys())
        return numbers, (*entries, *(known[name] for name in border if name in known))


def align(
    source: GraphView,
    target: GraphView,
    feeds: Sequence[Mapping[str, Array]],
    inputs: Mapping[str, Pair],
    outputs: Mapping[str, str],
    rtol: float,
    known: Mapping[str, Probes] | None = None,
) -> Alignment:
    """Cut points and differing regions of a target graph.

    Args:
        source, target: tidied graphs.
        feeds: the source's inputs, one dict a probe; at least two that differ.
        inputs: by target input, the source input that it corresponds to.
        outputs: by target output, the source output that it corresponds to.
        rtol: how far equal tensors may be apart, of a tensor's largest magnitude.
        known: the source's tensors, one array a probe, where the source is not run here but was observed.
    """
    search = _Search(source, target, feeds, inputs, outputs, rtol, known)
    while len(search.regions) <= len(target.nodes) and search.step():
        pass
    complete = all(name in search.pairs for name in target.outputs)
    return Alignment(
        source, target, search.pairs, tuple(search.regions), search.source_values, search.values, complete
    )  # fmt: skip


def _unlikely(target: GraphView, source: GraphView, one: tuple[int, str], two: tuple[int, str]) -> tuple[int, int]:
    """Sort key of a proposed pair: near ones first, and of those the ones of one operator."""
    differs = target.nodes[target.maker[one[1]]].op_type != source.nodes[source.maker[two[1]]].op_type
    return (one[0] + two[0] + 2 * differs, abs(one[0] - two[0]))


def _downstream(view: GraphView, front: int, within: set[int]) -> Iterator[tuple[int, str]]:
    """(depth, tensor) of a node's outputs and of what follows, breadth first."""
    level, seen, depth = [front], {front}, 0
    while level and depth < _DEPTH:
        depth += 1
        following = []
        for number in level:
            for name in view.nodes[number].output:
                if name:
                    yield depth, name
                for user in view.users.get(name, ()):
                    if user not in seen and user in within:
                        seen.add(user)
                        following.append(user)
        level = sorted(following)


def descendants(view: GraphView, tensor: str, within: set[int] | None) -> list[int]:
    """Nodes that depend on a tensor, in order."""
    found: set[int] = set()
    queue = [tensor]
    while queue:
        for number in view.users.get(queue.pop(), ()):
            if number not in found and (within is None or number in within):
                found.add(number)
                queue.extend(view.nodes[number].output)
    return sorted(found)


def _relative(source: Sequence[Array], target: Sequence[Array] | None) -> float:
    if target is None or any(one.shape != two.shape for one, two in zip(source, target, strict=True)):
        return float("inf")
    scale = max(float(np.abs(one.astype(np.float64)).max(initial=0.0)) for one in source)
    distance = max(
        float(np.abs(one.astype(np.float64) - two.astype(np.float64)).max(initial=0.0))
        for one, two in zip(source, target, strict=True)
    )
    relative = distance / scale if scale else distance
    return relative if np.isfinite(relative) else float("inf")


def _columns(rows: Sequence[Mapping[str, Array]]) -> dict[str, list[Array]]:
    return {name: [row[name] for row in rows] for name in rows[0]}


def _rows(columns: Mapping[str, Sequence[Array]]) -> list[dict[str, Array]]:
    count = len(next(iter(columns.values())))
    return [{name: value[number] for name, value in columns.items()} for number in range(count)]
