"""From regions to faults: the smallest set of differences whose undoing makes a region right."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from onnx import helper

from safeconvert.compare.relation import Relation
from safeconvert.graph.edits import Edit, Splice
from safeconvert.localize.alignment import Alignment, Region
from safeconvert.localize.differences import Difference, differences
from safeconvert.localize.isolated import IsolatedRegion, isolate
from safeconvert.localize.variants import variants

_TRIED_TOGETHER = 10  # differences of which pairs are tried where all together are not right


@dataclass(frozen=True)
class Fault:
    """One localized difference.

    Attributes:
        kind: PP, ID, TSS, WB, LH or CG.
        source: the source's node; "" where it has none.
        target: the target's node.
        operator: of the target's node.
        change: `missing`, `added` or `different`.
        what: the evidence in words and numbers.
        isolated: error at the region's exit with the source's values going in, relative to its largest magnitude.
        propagated: error there in the target as it was given.
        edits: what undoes it in the target's graph.
        exit: the target's tensor behind the region, which several faults of one region share.
        proven: undoing it (with the region's other faults) makes the region right; else it is a suspicion.
    """

    kind: str
    source: str
    target: str
    operator: str
    change: str
    what: str
    isolated: float
    propagated: float
    edits: tuple[Edit, ...]
    exit: str
    proven: bool


def find_faults(alignment: Alignment, propagated: dict[str, float], rtol: float) -> tuple[Fault, ...]:
    """The faults of every region, in the target's order.

    Args:
        alignment: of source and target.
        propagated: by target tensor, its error in the target as it was given.
        rtol: how far apart is still the same, of a tensor's largest magnitude.
    """
    found: list[Fault] = []
    for region in alignment.regions:
        part = isolate(alignment, region, rtol)
        chosen, proven = explain(part)
        error = propagated.get(region.exit.target, float("inf"))
        found += [_fault(part, region, difference, error, proven) for difference in chosen]
    return tuple(found)


def explain(part: IsolatedRegion) -> tuple[list[Difference], bool]:
    """The smallest differences that make a region right when undone, and whether they do.

    The source's region is compared as it is and said otherwise (`variants`); of the ways that make the region right, the
    one that takes least is taken. Where none does, the source's own nodes are put in the target's place.
    """
    best: list[Difference] | None = None
    seen: list[Difference] = []
    for said in variants(part.source):
        for rows_follow in (False, True):
            listed = differences(part, said, rows_follow)
            seen = seen or listed
            chosen = _smallest(part, listed)
            if chosen is not None and (best is None or _extent(chosen) < _extent(best)):
                best = chosen
        if best is not None and _extent(best) < 2:
            break
    if best is not None:
        return best, True
    spliced = _splice(part)
    if part.right(spliced.edits):
        return [spliced], True
    return seen, False


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


def _splice(part: IsolatedRegion) -> Difference:
    """The source's nodes in the target's place, with Transposes where the order of axes differs at the cut points."""
    exit_pair = part.region.exit
    nodes = list(part.source.nodes)
    entries: dict[str, str] = {}
    renamed: dict[str, str] = {}
    for pair in part.entries.values():
        entries[pair.source] = pair.target
        if not _plain(pair.relation):
            back = [int(axis) for axis in _inverse(pair.relation)]
            renamed[pair.source] = f"{pair.source}::back"
            nodes.insert(0, helper.make_node("Transpose", [pair.source], [renamed[pair.source]], f"{pair.source}::back",
                                             perm=back))  # fmt: skip
    made = exit_pair.source
    copies = []
    for node in nodes:
        copy = helper.make_node(node.op_type, list(node.input), list(node.output), node.name, domain=node.domain)
        copy.attribute.extend(node.attribute)
        if not node.name.endswith("::back"):
            copy.input[:] = [renamed.get(name, name) for name in node.input]
        copies.append(copy)
    if not _plain(exit_pair.relation):
        made = f"{exit_pair.source}::moved"
        order = list(exit_pair.relation.order)
        copies.append(helper.make_node("Transpose", [exit_pair.source], [made], made, perm=order))
    splice = Splice(
        exit_pair.target, tuple(copies), tuple(part.source.model.graph.initializer), entries, made,
        f"{exit_pair.target}::spliced::",
    )  # fmt: skip
    ours = ", ".join(node.op_type for node in part.source.nodes)
    theirs = ", ".join(node.op_type for node in part.target.nodes)
    target = part.target.nodes[part.target.maker[exit_pair.target]].name if part.target.nodes else exit_pair.target
    source = part.source.nodes[-1].name if part.source.nodes else ""
    return Difference("CG", target, source, f"the source has {ours or 'nothing'}, the target {theirs}", (splice,))


def _plain(relation: Relation) -> bool:
    return relation.order == tuple(range(len(relation.order)))


def _inverse(relation: Relation) -> list[int]:
    return sorted(range(len(relation.order)), key=relation.order.__getitem__)


def _fault(part: IsolatedRegion, region: Region, difference: Difference, propagated: float, proven: bool) -> Fault:
    operator = next((node.op_type for node in part.target.nodes if node.name == difference.target), "")
    return Fault(
        difference.kind, difference.source, difference.target, operator, difference.change, difference.what,
        region.isolated, propagated, difference.edits, region.exit.target, proven,
    )  # fmt: skip
