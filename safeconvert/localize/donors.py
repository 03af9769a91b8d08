"""Nodes of another exporter's graph in the place of those that are wrong, cut at tensors that both have in common with the native model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import onnx
from onnx import helper

from safeconvert.compare.relation import close
from safeconvert.graph.edits import EditError, Splice, apply
from safeconvert.graph.execution import run_part
from safeconvert.graph.view import GraphView
from safeconvert.localize.alignment import Alignment, Region, descendants
from safeconvert.localize.matching import Pair


def transplanted(
    candidate: GraphView, ours: Alignment, region: Region, theirs: Alignment, rtol: float
) -> GraphView | None:
    """A graph with a wrong region replaced by another graph's nodes; None where these do not make it right.

    Args:
        candidate: `ours.target`, or what became of it with other regions replaced.
        ours: of the native model and the graph that is wrong.
        region: where it is.
        theirs: of the native model and the other graph.
        rtol: how far from the native value is still right, of its largest magnitude.
    """
    splice = _splice(ours, region, theirs)
    return _right(candidate, ours, region, splice, rtol) if splice is not None else None


def led_past(candidate: GraphView, ours: Alignment, region: Region, rtol: float) -> GraphView | None:
    """A graph in which a tensor in front of a region, which is what has to come out behind it, goes past it; None where none is.

    Args as `transplanted`.
    """
    exit_name = region.exit.target
    wanted, behind = ours.target_values[exit_name], _behind(ours.target, exit_name)
    for name in ours.pairs:
        values = ours.target_values.get(name)
        if name in behind or values is None or not all(close(*both, rtol) for both in zip(wanted, values, strict=True)):
            continue
        same = helper.make_node("Identity", [name], [f"{name}::past"], f"{name}::past")
        splice = Splice(exit_name, (same,), (), {name: name}, f"{name}::past", f"{exit_name}::past::")
        return _right(candidate, ours, region, splice, rtol)
    return None


def _right(candidate: GraphView, ours: Alignment, region: Region, splice: Splice, rtol: float) -> GraphView | None:
    """The graph with nodes put in; None where what they make of right values is not right."""
    try:
        made = apply(candidate, [splice])
    except EditError:
        return None
    name, behind = region.exit.target, _behind(ours.target, region.exit.target)
    wanted = ours.target_values[name]
    known = [tensor for tensor in ours.pairs if tensor not in behind and tensor in ours.target_values]
    feeds = [{tensor: ours.target_values[tensor][n] for tensor in known} for n in range(len(wanted))]
    results = run_part(made, feeds, None, [name])
    right = all(
        name in result and result[name].shape == value.shape and close(value, result[name], rtol)
        for result, value in zip(results, wanted, strict=True)
    )
    return made if right else None


def _behind(view: GraphView, tensor: str) -> set[str]:
    """A tensor and all that depend on it."""
    return {tensor} | {name for number in descendants(view, tensor, None) for name in view.nodes[number].output}


def _splice(ours: Alignment, region: Region, theirs: Alignment) -> Splice | None:
    """What puts the other graph's nodes in; None where the two have no tensors in common around the region."""
    behind = _behind(ours.target, region.exit.target)
    right = {pair.source: pair for name, pair in ours.pairs.items() if name not in behind and _whole(ours, pair)}
    made = next(
        (pair for pair in theirs.pairs.values() if pair.source == region.exit.source and not pair.assumed), None
    )
    if made is None or not _whole(theirs, made) or not _whole(ours, region.exit):
        return None
    stops = {name: pair for name, pair in theirs.pairs.items() if pair.source in right and _whole(theirs, pair)}
    numbers, border = theirs.target.slice_back(made.target, stops)
    nodes = [theirs.target.nodes[number] for number in numbers]
    domains = {entry.domain for entry in ours.target.model.opset_import}
    if any(name not in stops for name in border) or any(node.domain not in domains for node in nodes):
        return None
    entries = {name: right[stops[name].source] for name in border}
    moved = {name: _order(entries[name], stops[name]) for name in border}
    return _spliced(
        region.exit.target, nodes, theirs.target, (entries, moved), (made.target, _order(made, region.exit))
    )


def _spliced(
    exit_name: str,
    nodes: Sequence[onnx.NodeProto],
    view: GraphView,
    entries: tuple[Mapping[str, Pair], Mapping[str, tuple[int, ...]]],
    made: tuple[str, tuple[int, ...]],
) -> Splice:
    """Nodes with Transposes where the two graphs have their axes in another order."""
    pairs, moved = entries
    inner = {name: f"{name}::moved" for name, order in moved.items() if order != tuple(range(len(order)))}
    written = [_transpose(name, inner[name], moved[name]) for name in inner]
    for node in nodes:
        copy = onnx.NodeProto()
        copy.CopyFrom(node)
        copy.input[:] = [inner.get(name, name) for name in node.input]
        written.append(copy)
    name, order = made
    if order != tuple(range(len(order))):
        written.append(_transpose(name, f"{name}::given", order))
        name = f"{name}::given"
    read = {tensor for node in nodes for tensor in node.input}
    constants = tuple(tensor for tensor in view.model.graph.initializer if tensor.name in read)
    taken = {tensor: pair.target for tensor, pair in pairs.items()}
    return Splice(exit_name, tuple(written), constants, taken, name, f"{exit_name}::transplanted::")


def _order(one: Pair, two: Pair) -> tuple[int, ...]:
    """The order of axes that makes the first pair's tensor the second's: both carry one native tensor."""
    inverse = np.argsort(one.relation.order)
    return tuple(int(inverse[axis]) for axis in two.relation.order)


def _whole(alignment: Alignment, pair: Pair) -> bool:
    """Whether a tensor has the native one's axes, no reshape between them."""
    ours, theirs = alignment.source_values[pair.source], alignment.target_values.get(pair.target)
    return theirs is not None and theirs[0].shape == ours[0].transpose(pair.relation.order).shape


def _transpose(name: str, made: str, order: Sequence[int]) -> onnx.NodeProto:
    return helper.make_node("Transpose", [name], [made], made, perm=list(order))
