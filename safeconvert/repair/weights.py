"""WB: weights and biases that are not the source's."""

from __future__ import annotations

from collections.abc import Iterator

from safeconvert.core.faults import Change, FaultKind
from safeconvert.graph.edits import Edit, SetConstant
from safeconvert.localize.compared import ComparedRegion, NodePair
from safeconvert.localize.constants import ConstantDifference, is_bias, is_weight, product_behind
from safeconvert.localize.gates import gate_order
from safeconvert.localize.kinds import Difference, Kind
from safeconvert.localize.unpaired import insertions

_OTHER_SHAPE = 5.0  # the extent where nothing can be compared value by value: as much as if all values differed


def locate(pair: NodePair) -> Iterator[Difference]:
    """Weights that differ under the target's order of axes, each with what they have to be."""
    node = pair.target_node
    for found in pair.constants:
        if is_weight(node, found.value) and not found.rows_only:
            yield Difference(
                FaultKind.WEIGHTS, node.name, pair.source_node.name, _evidence(pair, found), propose(pair, found),
                _change(found), _extent(found),
            )  # fmt: skip


def locate_missing(region: ComparedRegion, number: int) -> Iterator[Difference]:
    """A bias that is added to a product in the source and not in the target."""
    if not is_bias(region.source, number):
        return
    product, counterpart = product_behind(region.source, number), dict(region.paired)
    node = region.source.nodes[number]
    size = next(region.source.constants[name].size for name in node.input if name in region.source.constants)
    evidence = f"bias: {size} value{'s' * (size > 1)} in the source, none in the target"
    for insertion in insertions(region, number):
        beside = region.target.nodes[counterpart[product]] if product in counterpart else insertion.neighbour
        yield Difference(FaultKind.WEIGHTS, beside.name, node.name, evidence, insertion.edits, Change.MISSING)


def _evidence(pair: NodePair, found: ConstantDifference) -> str:
    operator = pair.target_node.op_type
    if found.needed is not None and found.there is not None:
        order = gate_order(operator, found.index, found.needed, found.there)
        if order:
            return f"{found.evidence()}: the gates are in the order {order}"
    return found.evidence()


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


KIND = Kind(of_pair=locate, of_missing=locate_missing)
