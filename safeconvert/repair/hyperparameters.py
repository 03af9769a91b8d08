"""LH: attributes of a layer, and constants that steer it (Clip's limits, Pad's sizes), that are not the source's."""

from __future__ import annotations

from collections.abc import Iterator

from safeconvert.core.faults import Change, FaultKind
from safeconvert.graph.edits import Edit, SetAttribute, SetConstant
from safeconvert.localize.compared import NodePair
from safeconvert.localize.constants import ConstantDifference, is_weight
from safeconvert.localize.kinds import Difference, Kind
from safeconvert.localize.node_attributes import AttributeDifference, differing_attributes


def locate(pair: NodePair) -> Iterator[Difference]:
    """Steering constants and attributes that differ, each with what it has to be."""
    source, target = pair.source_node, pair.target_node
    for constant in pair.constants:
        if not is_weight(target, constant.value) and not constant.rows_only:
            yield Difference(
                FaultKind.HYPERPARAMETERS, target.name, source.name, constant.evidence(),
                propose_constant(pair, constant), _change(constant), 1 + 4 * (constant.share() or 0.0),
            )  # fmt: skip
    if target.op_type == "Transpose":
        return  # what it is told is an order of axes, which is the structure of a tensor
    for attribute in differing_attributes(pair):
        edits = propose_attribute(pair, attribute)
        evidence = attribute.evidence()
        yield Difference(FaultKind.HYPERPARAMETERS, target.name, source.name, evidence, edits, attribute.change)


def propose_constant(pair: NodePair, found: ConstantDifference) -> tuple[Edit, ...]:
    """The source's values in the target's order of axes."""
    return (SetConstant(pair.target_node.name, found.index, found.needed),)


def propose_attribute(pair: NodePair, found: AttributeDifference) -> tuple[Edit, ...]:
    """The source's value; padding that is written out replaces one that is computed."""
    name = pair.target_node.name
    edit = SetAttribute(name, found.name, found.needed)
    return (edit, SetAttribute(name, "auto_pad", None)) if found.name == "pads" else (edit,)


def _change(found: ConstantDifference) -> Change:
    if found.wanted is None:
        return Change.ADDED
    return Change.MISSING if found.there is None else Change.DIFFERENT


KIND = Kind(of_pair=locate)
