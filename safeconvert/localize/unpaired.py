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
    """The positions at which a missing node of one input can be inserted: before each that reads it, and last in the region.

    Args:
        region: the two sides.
        number: of the source's node.
    """
    node = region.source.nodes[number]
    data = [name for name in node.input if name and name not in region.source.constants]
    if not node.output or len(data) != 1:
        return
    constants = tuple(tensor for tensor in region.source.model.graph.initializer if tensor.name in node.input)
    counterpart = dict(region.paired)
    for reader in (user for user in region.source.users.get(node.output[0], ()) if user in counterpart):
        target = region.target.nodes[counterpart[reader]]
        index = list(region.source.nodes[reader].input).index(node.output[0])
        if index >= len(target.input):
            continue
        name = f"{target.name}::{index}::inserted"
        splice = Splice(name, (node,), constants, {data[0]: target.input[index]}, node.output[0], f"{name}::")
        yield Insertion(target, (splice, Rewire(target.name, index, name)))
    maker = next((theirs for ours, theirs in region.paired if region.source.nodes[ours].output[0] == data[0]), None)
    if node.output[0] == region.part.region.exit.source and maker is not None:
        yield Insertion(region.target.nodes[maker], (_last(region, node, data[0], constants),))


def _last(region: ComparedRegion, node: onnx.NodeProto, data: str, constants: tuple[onnx.TensorProto, ...]) -> Splice:
    """The missing node becomes the last of the region and takes over the exit's name."""
    exit_name = region.part.region.exit.target
    entries = {data: f"{exit_name}::replaced"}
    return Splice(exit_name, (node,), constants, entries, node.output[0], f"{exit_name}::inserted::")
