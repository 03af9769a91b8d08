"""CG: nodes and edges of the graph that are not the source's."""

from __future__ import annotations

from collections.abc import Iterator

import onnx
from onnx import helper

from safeconvert.compare.relation import Relation
from safeconvert.core.faults import Change, FaultKind
from safeconvert.graph.edits import Edit, Rewire, Splice
from safeconvert.localize.compared import ComparedRegion, NodePair
from safeconvert.localize.constants import is_bias
from safeconvert.localize.isolated import IsolatedRegion
from safeconvert.localize.kinds import Difference, Kind
from safeconvert.localize.unpaired import bypass, insertions


def locate(pair: NodePair) -> Iterator[Difference]:
    """A node that reads other tensors than the counterparts of those that the source reads: all its inputs together."""
    source, target = pair.source_node, pair.target_node
    if pair.reads:
        evidence = "; ".join(
            f"input {index}: reads {target.input[index]}, and {expected} carries the source's {source.input[index]}"
            for index, expected in pair.reads.items()
        )
        yield Difference(FaultKind.COMPUTATION_GRAPH, target.name, source.name, evidence, propose_edges(pair))


def locate_added(region: ComparedRegion, number: int) -> Iterator[Difference]:
    """A node that the source does not have: taken out."""
    node = region.target.nodes[number]
    edits = bypass(region, number) if node.op_type != "Transpose" else ()
    if edits:
        evidence = f"{node.op_type}, which the source does not have"
        yield Difference(FaultKind.COMPUTATION_GRAPH, node.name, "", evidence, edits, Change.ADDED)


def locate_missing(region: ComparedRegion, number: int) -> Iterator[Difference]:
    """A node that the target does not have: put in."""
    node = region.source.nodes[number]
    if node.op_type == "Transpose" or is_bias(region.source, number):
        return
    evidence = f"{node.op_type}, which the target does not have"
    for insertion in insertions(region, number):
        name = insertion.neighbour.name
        yield Difference(FaultKind.COMPUTATION_GRAPH, name, node.name, evidence, insertion.edits, Change.MISSING)


def locate_region(part: IsolatedRegion) -> Iterator[Difference]:
    """The region as a whole: the source's nodes replace the target's."""
    exit_name = part.region.exit.target
    ours = ", ".join(node.op_type for node in part.source.nodes)
    theirs = ", ".join(node.op_type for node in part.target.nodes)
    target = part.target.nodes[part.target.maker[exit_name]].name if part.target.nodes else exit_name
    source = part.source.nodes[-1].name if part.source.nodes else ""
    evidence = f"the source has {ours or 'nothing'}, the target {theirs}"
    yield Difference(FaultKind.COMPUTATION_GRAPH, target, source, evidence, propose_nodes(part))


def propose_edges(pair: NodePair) -> tuple[Edit, ...]:
    """Let the node read what carries the values that the source's reads."""
    return tuple(Rewire(pair.target_node.name, index, tensor) for index, tensor in pair.reads.items())


def propose_nodes(part: IsolatedRegion) -> tuple[Edit, ...]:
    """The source's nodes, with Transposes where the order of axes differs at the cut points."""
    exit_pair = part.region.exit
    entries = {pair.source: pair for pair in part.entries.values()}
    moved = {name: pair.relation for name, pair in entries.items() if not _plain(pair.relation)}
    renamed = {name: f"{name}::back" for name in moved}
    nodes = [_transpose(name, renamed[name], _inverse(relation)) for name, relation in reversed(moved.items())]
    for node in part.source.nodes:
        copy = helper.make_node(node.op_type, list(node.input), list(node.output), node.name, domain=node.domain)
        copy.attribute.extend(node.attribute)
        copy.input[:] = [renamed.get(name, name) for name in node.input]
        nodes.append(copy)
    made = exit_pair.source
    if not _plain(exit_pair.relation):
        made = f"{exit_pair.source}::moved"
        nodes.append(_transpose(exit_pair.source, made, exit_pair.relation.order))
    taken = {name: pair.target for name, pair in entries.items()}
    constants = tuple(part.source.model.graph.initializer)
    prefix = f"{exit_pair.target}::spliced::"
    return (Splice(exit_pair.target, tuple(nodes), constants, taken, made, prefix),)


def _transpose(name: str, made: str, order: tuple[int, ...]) -> onnx.NodeProto:
    return helper.make_node("Transpose", [name], [made], made, perm=[int(axis) for axis in order])


def _plain(relation: Relation) -> bool:
    return relation.order == tuple(range(len(relation.order)))


def _inverse(relation: Relation) -> tuple[int, ...]:
    return tuple(sorted(range(len(relation.order)), key=relation.order.__getitem__))


KIND = Kind(of_pair=locate, of_added=locate_added, of_missing=locate_missing, of_region=locate_region)
