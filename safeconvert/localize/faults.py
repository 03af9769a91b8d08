"""From regions to faults: the smallest set of differences whose undoing makes a region right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from safeconvert.core.faults import Change, FaultKind, FaultRecord
from safeconvert.graph.edits import Edit
from safeconvert.localize.alignment import Alignment, Region
from safeconvert.localize.compared import ComparedRegion, NodePair, compare_region
from safeconvert.localize.epsilon import as_epsilon
from safeconvert.localize.isolated import IsolatedRegion, isolate
from safeconvert.localize.kinds import Difference, Kind
from safeconvert.localize.variants import variants

_TRIED_TOGETHER = 10  # differences of which pairs are tried where all together are not right


@dataclass(frozen=True)
class Fault:
    """One localized difference.

    Attributes:
        kind: of the six.
        source: the source's node; "" where it has none.
        target: the target's node.
        operator: of the target's node.
        change: how the target differs.
        evidence: in words and numbers.
        isolated: error at the region's exit with the source's values going in, relative to its largest magnitude.
        propagated: error there in the target as it was given.
        edits: what undoes it in the target's graph.
        exit: the target's tensor behind the region, which several faults of one region share.
        proven: undoing it (with the region's other faults) makes the region right; else it is a suspicion.
    """

    kind: FaultKind
    source: str
    target: str
    operator: str
    change: Change
    evidence: str
    isolated: float
    propagated: float
    edits: tuple[Edit, ...]
    exit: str
    proven: bool

    def record(self) -> FaultRecord:
        """The fault as the certificate lists it."""
        return FaultRecord(
            self.kind, self.source, self.target, self.operator, self.change, self.evidence, self.isolated,
            self.propagated, self.proven,
        )  # fmt: skip


def find_faults(
    alignment: Alignment, propagated: Mapping[str, float], rtol: float, kinds: Sequence[Kind]
) -> tuple[Fault, ...]:
    """The faults of every region, in the target's order.

    Args:
        alignment: of source and target.
        propagated: by target tensor, its error in the target as it was given.
        rtol: how far apart is still the same, of a tensor's largest magnitude.
        kinds: what is looked for.
    """
    found: list[Fault] = []
    for region in alignment.regions:
        part = isolate(alignment, region, rtol)
        if part.right(()):
            continue  # right by itself: what goes in is off, by less than the tolerance
        chosen, proven = explain(part, kinds)
        error = propagated.get(region.exit.target, float("inf"))
        found += [_fault(part, region, difference, error, proven) for difference in chosen]
    return tuple(found)


def explain(part: IsolatedRegion, kinds: Sequence[Kind]) -> tuple[list[Difference], bool]:
    """The smallest differences that make a region right when undone, and whether they do.

    The source's region is compared as it is and re-expressed (`variants`); of what makes the region right, the set that
    takes least is chosen. Where none does, the kinds are tried that see the region as a whole.
    """
    best: list[Difference] | None = None
    seen: list[Difference] = []
    for variant in variants(part.source):
        for rows_follow in (False, True):
            listed = differences(compare_region(part, variant, rows_follow), kinds)
            seen = seen or listed
            chosen = _smallest(part, listed)
            if chosen is not None and (best is None or _extent(chosen) < _extent(best)):
                best = chosen
        if best is not None and _extent(best) < 2:
            break
    if best is not None:
        epsilon = as_epsilon(part, best)
        return [epsilon] if epsilon is not None else best, True
    for whole in (difference for kind in kinds for difference in kind.of_region(part)):
        if part.right(whole.edits):
            return [whole], True
    return list({(one.kind, one.source, one.target if not one.source else ""): one for one in reversed(seen)}.values())[
        ::-1
    ], False


def differences(region: ComparedRegion, kinds: Sequence[Kind]) -> list[Difference]:
    """Everything in which the target's nodes of a region differ from the source's."""
    found: list[Difference] = []
    for ours, theirs in region.paired:
        pair = NodePair(region, ours, theirs)
        for kind in kinds:
            found += kind.of_pair(pair)
    for number in region.added:
        for kind in kinds:
            found += kind.of_added(region, number)
    for number in region.missing:
        for kind in kinds:
            found += kind.of_missing(region, number)
    return found


def _extent(chosen: Sequence[Difference]) -> float:
    return sum(difference.extent for difference in chosen)


def _smallest(part: IsolatedRegion, listed: Sequence[Difference]) -> list[Difference] | None:
    """A set of differences, none of them superfluous, that makes the region right; None where there is none."""
    if not listed:
        return None
    start = next((chosen for chosen in _large_choices(listed) if _right(part, chosen)), None)
    if start is None:
        for size in (1, 2):
            for chosen in combinations(listed[:_TRIED_TOGETHER], size):
                if _right(part, chosen):
                    return list(chosen)
        return None
    kept = list(start)
    for difference in start:
        without = [other for other in kept if other is not difference]
        if without and _right(part, without):
            kept = without
    return kept


def _large_choices(listed: Sequence[Difference]) -> Iterator[Sequence[Difference]]:
    """All differences, then all but one."""
    yield listed
    for left_out in listed[:_TRIED_TOGETHER] if len(listed) > 2 else ():
        yield [difference for difference in listed if difference is not left_out]


def _right(part: IsolatedRegion, chosen: Sequence[Difference]) -> bool:
    return part.right([edit for difference in chosen for edit in difference.edits])


def _fault(part: IsolatedRegion, region: Region, difference: Difference, propagated: float, proven: bool) -> Fault:
    operator = next((node.op_type for node in part.target.nodes if node.name == difference.target), "")
    return Fault(
        difference.kind, difference.source, difference.target, operator, difference.change, difference.evidence,
        region.isolated, propagated, difference.edits, region.exit.target, proven,
    )  # fmt: skip
