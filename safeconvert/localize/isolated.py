"""One region by itself: its nodes, fed the source's values, compared with what the source makes of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from onnx import helper

from safeconvert.compare.relation import close
from safeconvert.graph.edits import Edit, EditError, apply
from safeconvert.graph.execution import run_part
from safeconvert.graph.view import GraphView, subgraph
from safeconvert.localize.alignment import Alignment, Region
from safeconvert.localize.matching import Pair

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class IsolatedRegion:
    """A region cut out of both graphs.

    Attributes:
        region: which one.
        target: the target's nodes between the cut points, as a graph.
        source: the source's nodes between them.
        entries: the cut points in front, by target tensor.
        by_source: by source tensor, the target tensor that carries its values, anywhere in front of the exit.
        movers: by entry whose axes are in another order than the source's, the target's node that moved them.
        target_feeds: the source's values at the entries as the target has them, one dict a probe.
        source_feeds: the source's.
        wanted: what the exit has to be, in the target's order of axes, one array a probe.
        rtol: how far from it is still the same, of the largest magnitude.
    """

    region: Region
    target: GraphView
    source: GraphView
    entries: Mapping[str, Pair]
    by_source: Mapping[str, str]
    movers: Mapping[str, str]
    target_feeds: Sequence[Mapping[str, Array]]
    source_feeds: Sequence[Mapping[str, Array]]
    wanted: Sequence[Array]
    rtol: float

    def run(self, edits: Iterable[Edit]) -> list[Array] | None:
        """The exit with edits made, one array a probe; None where the edited nodes do not run."""
        try:
            view = apply(self.target, edits)
        except EditError:
            return None
        name = self.region.exit.target
        results = run_part(view, self.target_feeds, None, [name])
        return [result[name] for result in results] if all(name in result for result in results) else None

    def right(self, edits: Iterable[Edit]) -> bool:
        """Whether the edits make the exit what it has to be."""
        made = self.run(edits)
        if made is None:
            return False
        return all(
            one.size == two.size and _same_axes(one.shape, two.shape) and close(one.reshape(two.shape), two, self.rtol)
            for one, two in zip(made, self.wanted, strict=True)
        )


def isolate(alignment: Alignment, region: Region, rtol: float) -> IsolatedRegion:
    """Cut a region out of both graphs."""
    entries = {pair.target: pair for pair in region.entries}
    counts = range(len(next(iter(alignment.source_values.values()))))
    target_feeds = [{name: _exact(alignment, pair, n) for name, pair in entries.items()} for n in counts]
    source_feeds = [{pair.source: alignment.source_values[pair.source][n] for pair in entries.values()} for n in counts]
    wanted = [value.transpose(region.exit.relation.order) for value in alignment.source_values[region.exit.source]]
    front = set(alignment.target.slice_back(region.exit.target, ())[0])
    by_source = {
        pair.source: name
        for name, pair in alignment.pairs.items()
        if name != region.exit.target and (alignment.target.maker.get(name) in front or name in alignment.target.inputs)
    }
    return IsolatedRegion(
        region,
        _part(alignment.target, region.target_nodes, target_feeds[0], region.exit.target),
        _part(alignment.source, region.source_nodes, source_feeds[0], region.exit.source),
        entries,
        by_source,
        {name: mover for name in entries if (mover := _mover(alignment, name)) is not None},
        target_feeds,
        source_feeds,
        wanted,
        rtol,
    )


def _exact(alignment: Alignment, pair: Pair, number: int) -> Array:
    """The source's own values as the target has them: what a cut point is off by within tolerance is no fault behind it."""
    ours, theirs = alignment.source_values[pair.source][number], alignment.target_values[pair.target][number]
    if ours.size != theirs.size or ours.dtype != theirs.dtype:
        return theirs
    return pair.relation.to_target(ours, theirs.shape)


def _mover(alignment: Alignment, name: str) -> str | None:
    """The node in front of a tensor at which its axes came into another order than the source's; None where none did."""

    def moved(tensor: str) -> bool:
        pair = alignment.pairs.get(tensor)
        return pair is not None and not pair.relation.keeps_order(alignment.source_values[pair.source][0].shape)

    mover = None
    while moved(name) and name in alignment.target.maker:
        number = alignment.target.maker[name]
        mover = alignment.target.nodes[number].name
        name = next((read for read in alignment.target.data_inputs(number) if moved(read)), "")
    return mover


def _part(view: GraphView, numbers: Iterable[int], feeds: Mapping[str, Array], exit_name: str) -> GraphView:
    codes = {name: helper.np_dtype_to_tensor_dtype(value.dtype) for name, value in feeds.items()}
    return GraphView(subgraph(view, numbers, codes, [exit_name]))


def _same_axes(one: Sequence[int], two: Sequence[int]) -> bool:
    """Whether shapes are the same but for axes of length 1."""
    return [size for size in one if size != 1] == [size for size in two if size != 1]
