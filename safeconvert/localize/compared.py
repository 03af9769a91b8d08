"""The nodes of a region side by side: which of them correspond, and which tensors carry the same values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import onnx

from safeconvert.compare.relation import Relation
from safeconvert.graph.view import GraphView
from safeconvert.localize.constants import ConstantDifference, differing_constants
from safeconvert.localize.flattened import row_order
from safeconvert.localize.isolated import IsolatedRegion

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class ComparedRegion:
    """A region of the target beside the source's, as it is or re-expressed.

    Attributes:
        part: the region.
        source: the source's nodes, as they are or re-expressed (`variants`).
        paired: (source node, target node) of equal operators, by number, in order.
        counterparts: by source tensor, the target's tensor that carries its values.
        rows_follow: a tensor that is flattened in another order is right, and the rows of the weights behind have to
            follow; else the order is what is wrong.
    """

    part: IsolatedRegion
    source: GraphView
    paired: tuple[tuple[int, int], ...]
    counterparts: Mapping[str, str]
    rows_follow: bool

    @property
    def target(self) -> GraphView:
        """The target's nodes."""
        return self.part.target

    @property
    def added(self) -> list[int]:
        """Numbers of the target's nodes that correspond to none of the source's."""
        return sorted(set(range(len(self.target.nodes))) - {theirs for _, theirs in self.paired})

    @property
    def missing(self) -> list[int]:
        """Numbers of the source's nodes that correspond to none of the target's."""
        return sorted(set(range(len(self.source.nodes))) - {ours for ours, _ in self.paired})


@dataclass(frozen=True)
class NodePair:
    """Two nodes of the same operator that correspond.

    Attributes:
        region: in which they are.
        source, target: their numbers.
    """

    region: ComparedRegion
    source: int
    target: int

    @property
    def source_node(self) -> onnx.NodeProto:
        """The source's node."""
        return self.region.source.nodes[self.source]

    @property
    def target_node(self) -> onnx.NodeProto:
        """The target's node."""
        return self.region.target.nodes[self.target]

    @cached_property
    def relation(self) -> Relation:
        """The order of axes in which the target's node works: of the cut point it reads, else of the region's exit."""
        part = self.region.part
        for name in self.target_node.input:
            if name in part.entries:
                return part.entries[name].relation
        return part.region.exit.relation

    @cached_property
    def reads(self) -> Mapping[int, str]:
        """By input that reads another tensor than the counterpart of what the source reads, that counterpart."""
        counterparts = self.region.counterparts
        carried = {target: source for source, target in counterparts.items()}
        found: dict[int, str] = {}
        for index, name in enumerate(self.source_node.input):
            expected = counterparts.get(name)
            if name in self.region.source.constants or expected is None or index >= len(self.target_node.input):
                continue
            read = self.target_node.input[index]
            if read != expected and carried.get(read) not in (None, name):
                found[index] = expected
        return found

    @cached_property
    def constants(self) -> tuple[ConstantDifference, ...]:
        """The constants that differ, by input."""
        region = self.region
        wanted = [region.source.constants.get(name) for name in self.source_node.input]
        there = [region.target.constants.get(name) for name in self.target_node.input]

        def rows() -> Array | None:
            return row_order(region.part, region.source, self.source, self.target) if region.rows_follow else None

        return tuple(differing_constants((self.source_node, wanted), (self.target_node, there), self.relation, rows))


def compare_region(part: IsolatedRegion, source: GraphView, rows_follow: bool) -> ComparedRegion:
    """Pair the nodes of a region. Args as the attributes of `ComparedRegion`."""
    paired = _pair_nodes(part.target, source)
    counterparts = dict(part.by_source) | {
        source.nodes[ours].output[0]: part.target.nodes[theirs].output[0] for ours, theirs in paired
    }
    return ComparedRegion(part, source, tuple(paired), counterparts, rows_follow)


def _pair_nodes(target: GraphView, source: GraphView) -> list[tuple[int, int]]:
    """(source node, target node) of equal operators: the longest common subsequence of the two orders."""
    ours = [node.op_type for node in source.nodes]
    theirs = [node.op_type for node in target.nodes]
    longest = np.zeros((len(ours) + 1, len(theirs) + 1), int)
    for i in range(len(ours) - 1, -1, -1):
        for j in range(len(theirs) - 1, -1, -1):
            same = longest[i + 1, j + 1] + 1 if ours[i] == theirs[j] else 0
            longest[i, j] = max(same, longest[i + 1, j], longest[i, j + 1])
    paired, i, j = [], 0, 0
    while i < len(ours) and j < len(theirs):
        if ours[i] == theirs[j] and longest[i, j] == longest[i + 1, j + 1] + 1:
            paired.append((i, j))
            i, j = i + 1, j + 1
        elif longest[i + 1, j] >= longest[i, j + 1]:
            i += 1
        else:
            j += 1
    return paired
