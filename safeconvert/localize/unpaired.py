"""Nodes that only one side has, and the edits that bypass one in the target or insert one into it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import onnx

from safeconvert.graph.edits import Bypass, Edit, Rewire, Splice
from safeconvert.localize.compared import ComparedRegion


@dataclass(frozen=True)
class Insertion:
    """One position in the target at which a missing node can be inserted.

    Attributes:
        neighbour: the target's node beside which it is inserted, by which the position is named.
        edits: what inserts it.
    """

    neighbour: onnx.NodeProto
    edits: tuple[Edit, ...]


def bypass(region: ComparedRegion, number: int) -> tuple[Edit, ...]:
    """What takes a node out of the target; empty where it reads constants only."""
    node = region.target.nodes[number]
    for index, name in enumerate(node.input):
        if name and name not in region.target.constants:
            return (Bypass(node.name, index),)
    return ()


def insertions(region: ComparedRegion, number: int) -> Iterator[Insertion]:
    """The positions at which a missing node can be inserted: before each that reads it, and last in the region.

    Of several tensors that it reads all but one have to be there in the target, as those of a residual sum are.

    Args:
        region: the two sides.
        number: of the source's node.
    """
    node = region.source.nodes[number]
    data = [name for name in node.input if name and name not in region.source.constants]
    if not node.output or not data:
        return
    constants = tuple(tensor for tensor in region.source.model.graph.initializer if tensor.name in node.input)
    counterpart = dict(region.paired)
    for reader in (user for user in region.source.users.get(node.output[0], ()) if user in counterpart):
        target = region.target.nodes[counterpart[reader]]
        index = list(region.source.nodes[reader].input).index(node.output[0])
        entries = _entries(region, data, target.input[index]) if index < len(target.input) else None
        if entries is None:
            continue
        name = f"{target.name}::{index}::inserted"
        splice = Splice(name, (node,), constants, entries, node.output[0], f"{name}::")
        yield Insertion(target, (splice, Rewire(target.name, index, name)))
    made_in = {region.source.nodes[ours].output[0]: theirs for ours, theirs in region.paired}
    maker = next((made_in[name] for name in data if name in made_in), None)
    exit_name = region.part.region.exit.target
    entries = _entries(region, data, f"{exit_name}::replaced")
    if node.output[0] == region.part.region.exit.source and maker is not None and entries is not None:
        splice = Splice(exit_name, (node,), constants, entries, node.output[0], f"{exit_name}::inserted::")
        yield Insertion(region.target.nodes[maker], (splice,))


def _entries(region: ComparedRegion, data: list[str], read: str) -> dict[str, str] | None:
    """By tensor that a missing node reads the target's: the one that stands in its place now, and counterparts of the others."""
    if len(data) == 1:
        return {data[0]: read}
    known = {name: region.counterparts[name] for name in data if name in region.counterparts}
    if len(set(data)) - len(known) > 1:
        return None
    carried = {target: source for source, target in region.counterparts.items()}
    through = (
        carried.get(read) if carried.get(read) in data else next((name for name in data if name not in known), data[0])
    )
    return known | {str(through): read}
