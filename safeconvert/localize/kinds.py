"""What a kind of faults is to localization: where it is looked for, and what undoes it.

The kinds are modules of `safeconvert.repair`; `repair.engine.kinds` lists those that are looked for between cut points.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from safeconvert.core.faults import Change, FaultKind
from safeconvert.graph.edits import Edit
from safeconvert.localize.compared import ComparedRegion, NodePair
from safeconvert.localize.isolated import IsolatedRegion


@dataclass(frozen=True)
class Difference:
    """One thing in which the target differs from the source at a node, with what would undo it.

    Attributes:
        kind: of the six.
        target: name of the target's node.
        source: name of the source's node; "" where there is none.
        evidence: in words: `pads: [1, 1, 1, 1] in the source, [0, 0, 1, 1] in the target`.
        edits: what undoes it.
        change: how the target differs.
        extent: how much it takes to undo it: 1, and for weights up to 4 more with the share of values that change.
    """

    kind: FaultKind
    target: str
    source: str
    evidence: str
    edits: tuple[Edit, ...]
    change: Change = Change.DIFFERENT
    extent: float = 1.0


@dataclass(frozen=True)
class Kind:
    """One kind of faults: up to four functions that look for it.

    Each function gives the differences of this kind that it finds, with the edits that undo them. Whether one is a fault
    is decided afterwards, by undoing it (`localize.faults`).

    Attributes:
        of_pair: of two nodes of the same operator.
        of_added: of a node of the target, by number, that the source does not have.
        of_missing: of a node of the source, by number, that the target does not have.
        of_region: of a region as a whole, where nothing smaller explains it.
    """

    of_pair: Callable[[NodePair], Iterable[Difference]] = lambda pair: ()
    of_added: Callable[[ComparedRegion, int], Iterable[Difference]] = lambda region, number: ()
    of_missing: Callable[[ComparedRegion, int], Iterable[Difference]] = lambda region, number: ()
    of_region: Callable[[IsolatedRegion], Iterable[Difference]] = lambda part: ()
