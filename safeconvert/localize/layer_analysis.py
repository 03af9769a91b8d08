"""Layer activation analysis as FetaFix publishes it (Louloudakis et al., EASE 2025, section 4.2).

Inputs on which source and target agree ("similar") and on which they do not ("dissimilar") are sampled in equal numbers. For
every element of every core layer the (target - source) differences of the two groups are tested with Kruskal–Wallis; an
element with p < 0.05 is problematic. A layer's score in one sample is its share of problematic elements (the published count
favours large layers); layers are ranked by the mean over the samples.

Stated rules where the paper is silent: a group of fewer than three inputs flags nothing; an element whose differences are
all equal is not problematic; layers of equal score stand in the order of the graph.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from safeconvert.graph.view import GraphView
from safeconvert.localize.findings import LayerScore
from safeconvert.localize.kruskal import SMALLEST_GROUP, kruskal_p
from safeconvert.localize.matching import Pair

Array = np.ndarray[Any, Any]
Activations = Callable[[GraphView, Sequence[Mapping[str, Array]], Sequence[str]], Iterator[dict[str, Array]]]
"""A back end: (graph, feeds, tensors) to one dict of values after the other, one for each feed."""
Feeds = tuple[Mapping[str, Array], Mapping[str, Array]]
"""One input, as the source and as the target are fed it."""

_SIGNIFICANT = 0.05
_ELEMENTS = 1 << 16  # tested at a time
_BYTES = 1 << 30  # of activations in memory at a time


@dataclass(frozen=True)
class Groups:
    """The inputs that are compared, and how they are sampled.

    Attributes:
        similar: single inputs on which the labels agree.
        dissimilar: those on which they do not.
        seed: of the samples.
        size: largest size of a group in one sample.
        samples: random samples that the ranking is the mean of.
    """

    similar: Sequence[Feeds]
    dissimilar: Sequence[Feeds]
    seed: int
    size: int = 100
    samples: int = 3

    def draws(self) -> list[tuple[Array, Array]]:
        """For each sample the numbers of its inputs of both groups; empty where a group is too small for the test."""
        count = min(len(self.similar), len(self.dissimilar), self.size)
        if count < SMALLEST_GROUP:
            return []

        def drawn(draw: int, part: int) -> Array:
            total = len((self.similar, self.dissimilar)[part])
            found: Array = np.random.default_rng([self.seed, draw, part]).permutation(total)[:count]
            return found

        return [(drawn(draw, 0), drawn(draw, 1)) for draw in range(self.samples)]


def analyse(
    source: GraphView, target: GraphView, layers: Sequence[Pair], groups: Groups, activations: Activations
) -> list[LayerScore]:
    """Rank the core layers, the most suspicious first.

    Args:
        source, target: the graphs.
        layers: outputs of core layers that correspond, in the target's order (see `core_pairs`).
        groups: the inputs.
        activations: the back end.
    """
    draws = groups.draws()
    if not draws or not layers:
        return []
    used = [sorted({int(n) for draw in draws for n in draw[part]}) for part in (0, 1)]
    totals = np.zeros(len(layers))
    elements = np.array(_sizes(source, layers, groups.similar[0][0], activations))
    for chunk in _chunks(elements, sum(map(len, used))):
        pairs = [layers[position] for position in chunk]
        apart = [
            _differences(source, target, pairs, [inputs[n] for n in numbers], activations)
            for inputs, numbers in zip((groups.similar, groups.dissimilar), used, strict=True)
        ]
        for draw in draws:
            rows = [[numbers.index(int(n)) for n in chosen] for numbers, chosen in zip(used, draw, strict=True)]
            for position, first, second in zip(chunk, *apart, strict=True):
                totals[position] += _problematic(first, second, rows) / groups.samples
        del apart, first, second  # before the next chunk is filled
    scores = [
        LayerScore(_maker(source, pair.source), _maker(target, pair.target), int(elements[position]), float(totals[position]),
                   float(totals[position] / max(elements[position], 1)))
        for position, pair in enumerate(layers)
    ]  # fmt: skip
    return sorted(scores, key=lambda score: -score.rate)


def unranked(layers: int, similar: int, dissimilar: int) -> str:
    """Why there can be no ranking of so many layers on so many inputs; "" where there can.

    Args:
        layers: core layers of both sides that correspond.
        similar, dissimilar: inputs on which the labels agree, and on which they do not.
    """
    if not layers:
        return "no core layer of the target corresponds to one of the source"
    for word, count in (("similar", similar), ("dissimilar", dissimilar)):
        if count < SMALLEST_GROUP:
            return f"{count} {word} inputs; the test needs {SMALLEST_GROUP} of either kind"
    return ""


def core_pairs(source: GraphView, target: GraphView, pairs: Mapping[str, Pair], operators: Sequence[str]) -> list[Pair]:
    """The cut points and region exits that are outputs of core layers on both sides, in the target's order."""
    found = []
    for node in target.nodes:
        pair = pairs.get(node.output[0]) if node.op_type in operators else None
        maker = source.maker.get(pair.source) if pair is not None else None
        if pair is not None and maker is not None and source.nodes[maker].op_type in operators:
            found.append(pair)
    return found


def _problematic(first: Array, second: Array, rows: Sequence[Sequence[int]]) -> int:
    """Elements with p below the level, block by block: a drawn copy of a whole layer would double the memory."""
    count = 0
    for start in range(0, first.shape[1], _ELEMENTS):
        block = slice(start, start + _ELEMENTS)
        count += int((kruskal_p(first[:, block][rows[0]], second[:, block][rows[1]]) < _SIGNIFICANT).sum())
    return count


def _sizes(
    source: GraphView, layers: Sequence[Pair], feeds: Mapping[str, Array], activations: Activations
) -> list[int]:
    values = next(iter(activations(source, [feeds], [pair.source for pair in layers])))
    return [int(values[pair.source].size) for pair in layers]


def _chunks(elements: Array, inputs: int) -> list[list[int]]:
    """Layers whose activations are in memory together: as many as fit into `_BYTES`, and at least one."""
    chunks: list[list[int]] = []
    taken = _BYTES
    for position, size in enumerate(elements):
        needed = int(size) * inputs * 4  # float32
        if taken + needed > _BYTES:
            chunks.append([])
            taken = 0
        chunks[-1].append(position)
        taken += needed
    return chunks


def _differences(
    source: GraphView,
    target: GraphView,
    pairs: Sequence[Pair],
    inputs: Sequence[tuple[Mapping[str, Array], Mapping[str, Array]]],
    activations: Activations,
) -> list[Array]:
    """For each pair (inputs, elements) of target - source, in the source's order of axes."""
    ours = activations(source, [feeds for feeds, _ in inputs], [pair.source for pair in pairs])
    theirs = activations(target, [feeds for _, feeds in inputs], [pair.target for pair in pairs])
    found: list[Array] = []
    for row, (one, two) in enumerate(zip(ours, theirs, strict=True)):
        for position, pair in enumerate(pairs):
            value = one[pair.source]
            if not row:
                found.append(np.empty((len(inputs), value.size), np.float32))
            np.subtract(
                pair.relation.to_source(two[pair.target], value.shape).ravel(), value.ravel(), found[position][row]
            )
    return found


def _maker(view: GraphView, tensor: str) -> str:
    return str(view.nodes[view.maker[tensor]].name)
