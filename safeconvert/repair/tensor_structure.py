"""TSS: tensors in another order of axes than the node that reads them takes them in."""

from __future__ import annotations

from collections.abc import Iterator

from safeconvert.core.faults import Change, FaultKind
from safeconvert.graph.edits import Edit, InsertTranspose, SetAttribute, SetConstant
from safeconvert.graph.operators import CHANNELS_SECOND, JOINING, LAYOUT, REORDERING
from safeconvert.localize.compared import ComparedRegion, NodePair
from safeconvert.localize.constants import ConstantDifference
from safeconvert.localize.isolated import IsolatedRegion
from safeconvert.localize.kinds import Difference, Kind
from safeconvert.localize.node_attributes import AttributeDifference, differing_attributes
from safeconvert.localize.unpaired import bypass, insertions


def locate(pair: NodePair) -> Iterator[Difference]:
    """Inputs in another order of axes, weights whose rows follow another order, and Transposes of another order."""
    source, target = pair.source_node.name, pair.target_node.name
    if not pair.region.rows_follow:
        yield from _of_inputs(pair)
    for constant in pair.constants:
        if constant.rows_only:
            edits = propose_rows(pair, constant)
            yield Difference(FaultKind.TENSOR_STRUCTURE, target, source, constant.evidence(), edits)
    if pair.target_node.op_type == "Transpose":
        for found in differing_attributes(pair):
            edits = propose_order(pair, found)
            yield Difference(FaultKind.TENSOR_STRUCTURE, target, source, found.evidence(), edits, found.change)


def locate_added(region: ComparedRegion, number: int) -> Iterator[Difference]:
    """A Transpose that the source does not have: taken out."""
    node = region.target.nodes[number]
    edits = bypass(region, number) if node.op_type == "Transpose" else ()
    if edits:
        evidence = f"{node.op_type}, which the source does not have"
        yield Difference(FaultKind.TENSOR_STRUCTURE, node.name, "", evidence, edits, Change.ADDED)


def locate_missing(region: ComparedRegion, number: int) -> Iterator[Difference]:
    """A Transpose that the target does not have: put in."""
    node = region.source.nodes[number]
    if node.op_type != "Transpose":
        return
    evidence = f"{node.op_type}, which the target does not have"
    for insertion in insertions(region, number):
        name = insertion.neighbour.name
        yield Difference(FaultKind.TENSOR_STRUCTURE, name, node.name, evidence, insertion.edits, Change.MISSING)


def propose_transpose(pair: NodePair, index: int, order: tuple[int, ...]) -> tuple[Edit, ...]:
    """A Transpose in front of an input, which brings its axes into the order in which the node takes them."""
    return (InsertTranspose(pair.target_node.name, index, order),)


def propose_rows(pair: NodePair, found: ConstantDifference) -> tuple[Edit, ...]:
    """The rows in the order in which the target flattens."""
    return (SetConstant(pair.target_node.name, found.index, found.needed),)


def propose_order(pair: NodePair, found: AttributeDifference) -> tuple[Edit, ...]:
    """The source's order of axes."""
    return (SetAttribute(pair.target_node.name, found.name, found.needed),)


def _of_inputs(pair: NodePair) -> Iterator[Difference]:
    """Inputs that a node takes in one order of axes and gets in another; the node that moved the axes is named for it."""
    part, node = pair.region.part, pair.target_node
    for index in _ordered_inputs(pair):
        read = pair.reads.get(index, node.input[index])
        entry = _entry_in_front(part, read)
        wanted = part.region.exit.relation.order
        if entry is not None:
            cut = part.entries[entry]
            order, shape = cut.relation.order, part.source_feeds[0][cut.source].shape
            needed = tuple(range(len(order))) if node.op_type in LAYOUT else wanted
        elif node.op_type in JOINING and _made_on_images(part, read):
            order, needed = tuple(range(len(wanted))), wanted
            shape = tuple(part.wanted[0].shape[wanted.index(axis)] for axis in order)
        else:
            continue
        long_axes = [axis for axis in order if shape[axis] != 1]
        if len(needed) != len(order) or long_axes == [axis for axis in needed if shape[axis] != 1]:
            continue
        back = tuple(order.index(axis) for axis in needed)
        evidence = f"{node.name} reads input {index} in the order {list(order)} of the source's axes"
        # an input in the source's own order is not the one that was moved: the others were
        named = part.movers.get(entry or "") or next(iter(part.movers.values()), node.name)
        edits = propose_transpose(pair, index, back)
        yield Difference(FaultKind.TENSOR_STRUCTURE, named, pair.source_node.name, evidence, edits)


def _ordered_inputs(pair: NodePair) -> range:
    """The inputs that a node takes in a certain order of axes."""
    node = pair.target_node
    if node.op_type in LAYOUT:
        return range(1)
    return range(len(node.input)) if node.op_type in JOINING else range(0)


def _entry_in_front(part: IsolatedRegion, name: str) -> str | None:
    """The entry whose order of axes a tensor of the region has; None where an operator in between sets its own."""
    while name not in part.entries:
        maker = part.target.maker.get(name)
        if maker is None or part.target.nodes[maker].op_type in REORDERING | CHANNELS_SECOND | JOINING:
            return None
        name = next((read for read in part.target.nodes[maker].input if read not in part.target.constants), "")
    return name


def _made_on_images(part: IsolatedRegion, name: str) -> bool:
    """Whether a tensor of the region has the axes of an operator on images, whatever that reads."""
    while name in part.target.maker and name not in part.entries:
        node = part.target.nodes[part.target.maker[name]]
        if node.op_type in CHANNELS_SECOND:
            return True
        if node.op_type in REORDERING | JOINING:
            return False
        name = next((read for read in node.input if read not in part.target.constants), "")
    return False


KIND = Kind(of_pair=locate, of_added=locate_added, of_missing=locate_missing)
