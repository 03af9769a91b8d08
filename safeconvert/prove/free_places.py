"""What a graph does at some sizes alone where they are free: places that constants name (the 50th step, the first 512), and decisions (50 at most).

At the sizes of a proof such a place is there, and a decision falls as it does. That the mean of the first 50 of 97 is a fiftieth of their sum says nothing
of 30, and neither does it that the smaller of 50 and a size is 50.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import onnx

from safeconvert.prove.checker.graph import Graph
from safeconvert.prove.kernel.terms import Array

_ENDLESS = 2**31 - 1
"""From here on a bound is an end, however long the axis is."""
_NEAR_AN_END = 2
_FEW = 16  # numbers of a shape; more are places
_DECIDING = frozenset(
    [
        "Min",
        "Max",
        "Clip",
        "Mod",
        "Div",
        "Less",
        "LessOrEqual",
        "Greater",
        "GreaterOrEqual",
        "Equal",
        "Sign",
        "Relu",
        "Where",
    ]
)
"""Operators whose results are other functions of a size from some size on."""


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


def decides(graph: Graph) -> bool:
    """Whether any operator may decide by a size."""
    return any(node.op_type in _DECIDING and any(name in graph.sized for name in node.input) for node in graph.nodes)


def decided(here: Graph, there: Graph) -> str:
    """The first operator that decides by a free size as it does at others, in one graph read at two sizes; "" where there is none.

    Sizes are held against numbers beyond those that any size has passed, or against one another. Masks, which hold every place
    against every other one, decide nothing by a size.
    """
    for node in here.nodes:
        if node.op_type in _DECIDING and node.input and _decides_alike(node, here, there):
            return f"{node.op_type} {node.name or node.output[0]}"
    return ""


def _decides_alike(node: onnx.NodeProto, here: Graph, there: Graph) -> bool:
    names = [name for name in node.input if name]
    if any(name not in graph.constants for name in (*names, node.output[0]) for graph in (here, there)):
        return False
    pairs = {name: (here.constants[name], there.constants[name]) for name in names}
    free = [name for name in names if _varies(*pairs[name])]
    bounds = [pairs[name][0] for name in names if name not in free and pairs[name][0].dtype != np.bool_]
    beyond = any(np.any((np.abs(bound) > _NEAR_AN_END) & (np.abs(bound) < _ENDLESS)) for bound in bounds)
    sizes = len(set(free)) > 1 and all(pairs[name][0].size <= _FEW for name in free)
    if not free or not (beyond or sizes):
        return False
    result = here.constants[node.output[0]], there.constants[node.output[0]]
    as_given = (all(np.array_equal(*both) for both in zip(result, pairs[name], strict=True)) for name in free)
    return not _varies(*result) or any(as_given)


def _varies(here: Array, there: Array) -> bool:
    return not np.array_equal(here, there)


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
