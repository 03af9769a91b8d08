"""A kind of faults as `docs/adding-a-fault-kind.md` adds one: a node that computes another operator of the same inputs."""

from __future__ import annotations

from collections.abc import Iterator

import onnx

from safeconvert.core.faults import FaultKind
from safeconvert.graph.edits import Edit, Splice
from safeconvert.localize.compared import ComparedRegion
from safeconvert.localize.kinds import Difference, Kind


def locate(region: ComparedRegion, number: int) -> Iterator[Difference]:
    """The target's nodes that read what a missing node of the source reads."""
    ours = region.source.nodes[number]
    for theirs in (region.target.nodes[added] for added in region.added):
        if list(theirs.input) == [region.counterparts.get(name) for name in ours.input]:
            evidence = f"{ours.op_type} in the source, {theirs.op_type} in the target"
            yield Difference(FaultKind.COMPUTATION_GRAPH, theirs.name, ours.name, evidence, propose(ours, theirs))


def propose(ours: onnx.NodeProto, theirs: onnx.NodeProto) -> tuple[Edit, ...]:
    """The source's node in the place of the target's."""
    made = theirs.output[0]
    entries = dict(zip(ours.input, theirs.input, strict=True))
    return (Splice(made, (ours,), (), entries, ours.output[0], f"{made}::other::"),)


KIND = Kind(of_missing=locate)
