"""The attributes of two nodes of the same operator, compared in the target's order of axes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx

from safeconvert.compare.relation import Relation
from safeconvert.core.faults import Change
from safeconvert.graph.attributes import attributes
from safeconvert.graph.view import GraphView
from safeconvert.localize.compared import NodePair

Array = np.ndarray[Any, Any]
_AXIS = {"axis", "axes"}


@dataclass(frozen=True)
class AttributeDifference:
    """An attribute that the target's node does not have as it should.

    Attributes:
        name: of the attribute.
        wanted: the source's value, its default filled in; None where it has none.
        there: the target's.
        needed: what the target has to have: the source's, axes counted in the target's order.
        change: how the target differs.
    """

    name: str
    wanted: Any
    there: Any
    needed: Any
    change: Change

    def evidence(self) -> str:
        """The difference in words."""
        return f"{self.name}: {_readable(self.wanted)} in the source, {_readable(self.there)} in the target"


def differing_attributes(pair: NodePair) -> Iterator[AttributeDifference]:
    """The attributes that the target's node does not have as it should, by name."""
    part, source = pair.region.part, pair.region.source
    ours, theirs = pair.source_node, pair.target_node
    wanted = attributes(ours, source.opset, _shapes(source, ours, part.source_feeds[0]))
    there = attributes(theirs, part.target.opset, _shapes(part.target, theirs, part.target_feeds[0]))
    for name in sorted(wanted.keys() | there.keys()):
        value = wanted.get(name)
        needed = _axis_in_target(value, pair.relation) if name in _AXIS else value
        if needed == there.get(name) or (name in _AXIS and value == there.get(name)):
            continue
        yield AttributeDifference(name, value, there.get(name), needed, _change(name in wanted, name in there))


def _change(in_source: bool, in_target: bool) -> Change:
    if in_source and in_target:
        return Change.DIFFERENT
    return Change.MISSING if in_source else Change.ADDED


def _readable(value: Any) -> Any:
    """An attribute's value for a person: a float32 as it was written, not all its digits in float64."""
    if isinstance(value, list):
        return [_readable(item) for item in value]
    return f"{value:.7g}" if isinstance(value, float) else value


def _axis_in_target(value: Any, relation: Relation) -> Any:
    if value is None:
        return value
    rank = len(relation.order)

    def moved(axis: int) -> int:
        return relation.order.index(axis % rank) if -rank <= axis < rank else axis

    return sorted(map(moved, value)) if isinstance(value, list) else moved(value)


def _shapes(view: GraphView, node: onnx.NodeProto, feeds: Mapping[str, Array]) -> list[Sequence[int] | None]:
    found: list[Sequence[int] | None] = []
    for name in node.input:
        value = view.constants.get(name, feeds.get(name))
        found.append(value.shape if value is not None else None)
    return found
