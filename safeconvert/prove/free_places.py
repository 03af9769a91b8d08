"""Places that constants name along axes whose size is free: the 50th step, the first 512. At sizes below them, graphs that are equal above may differ.

At the sizes of a proof such a place is there. That the mean of the first 50 of 97 is a fiftieth of their sum says nothing of 30.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import onnx

from safeconvert.prove.checker.graph import Graph

_ENDLESS = 2**31 - 1
"""From here on a bound is an end, however long the axis is."""
_NEAR_AN_END = 2


@dataclass(frozen=True)
class Place:
    """A place along an axis of a tensor, from either end."""

    tensor: str
    axis: int
    number: int


def places(graph: Graph) -> list[Place]:
    """The places that constants name, but for the first and last ones, which are there at any size that a model is run at."""
    return [
        Place(node.input[0], axis, abs(number))
        for node in graph.nodes
        if node.input and graph.shapes.get(node.input[0])
        for axis, number in _named(graph, node, len(graph.shapes[node.input[0]]))
        if abs(number) > _NEAR_AN_END
    ]


def furthest(named: Sequence[Place], here: Graph, there: Graph) -> int:
    """The furthest of places whose axis has another size in the same graph at other sizes; 0 for none."""
    known = [place for place in named if len(there.shapes.get(place.tensor, ())) > place.axis]
    free = (one for one in known if here.shapes[one.tensor][one.axis] != there.shapes[one.tensor][one.axis])
    return max((place.number for place in free), default=0)


def _named(graph: Graph, node: onnx.NodeProto, rank: int) -> Iterator[tuple[int, int]]:
    """Axes, and constant places along them that are not computed from sizes."""
    attributes = {one.name: onnx.helper.get_attribute_value(one) for one in node.attribute}
    given = [_constant(graph, name) for name in node.input]
    if node.op_type == "Slice":
        starts, ends, axes = ((given[place] if len(given) > place else None) or [] for place in (1, 2, 3))
        starts, ends = starts or list(attributes.get("starts", [])), ends or list(attributes.get("ends", []))
        axes = axes or list(attributes.get("axes", range(max(len(starts), len(ends)))))
        for bounds in (starts, ends):
            yield from (
                (axis % rank, bound) for axis, bound in zip(axes, bounds, strict=False) if abs(bound) < _ENDLESS
            )
    elif node.op_type in ("Gather", "GatherElements") and len(given) > 1:
        yield from ((attributes.get("axis", 0) % rank, place) for place in given[1] or [])


def _constant(graph: Graph, name: str) -> list[int] | None:
    """Integers that are the same at all sizes."""
    array = graph.constants.get(name)
    if array is None or name in graph.sized or array.dtype.kind != "i":
        return None
    return [int(number) for number in array.reshape(-1)]
