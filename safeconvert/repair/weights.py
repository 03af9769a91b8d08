"""WB: weights and biases that are not the source's."""

from __future__ import annotations

from collections.abc import Iterator

from safeconvert.core.faults import Change, FaultKind
from safeconvert.graph.edits import Edit, SetConstant
from safeconvert.localize.compared import NodePair
from safeconvert.localize.constants import ConstantDifference, is_weight
from safeconvert.localize.kinds import Difference, Kind

_OTHER_SHAPE = 5.0  # the extent where nothing can be compared value by value: as much as if all values differed


def locate(pair: NodePair) -> Iterator[Difference]:
    """Weights that differ under the target's order of axes, each with what they have to be."""
    node = pair.target_node
    for found in pair.constants:
        if is_weight(node, found.value) and not found.rows_only:
            yield Difference(
                FaultKind.WEIGHTS, node.name, pair.source_node.name, found.evidence(), propose(pair, found),
                _change(found), _extent(found),
            )  # fmt: skip


def propose(pair: NodePair, found: ConstantDifference) -> tuple[Edit, ...]:
    """The source's values in the target's order of axes."""
    return (SetConstant(pair.target_node.name, found.index, found.needed),)


def _change(found: ConstantDifference) -> Change:
    if found.wanted is None:
        return Change.ADDED
    return Change.MISSING if found.there is None else Change.DIFFERENT


def _extent(found: ConstantDifference) -> float:
    """1, and up to 4 more with the share of values that change: another order of axes is likelier than other weights."""
    if found.wanted is None or found.there is None:
        return 1.0
    share = found.share()
    return 1 + 4 * share if share is not None else _OTHER_SHAPE


KIND = Kind(of_pair=locate)
