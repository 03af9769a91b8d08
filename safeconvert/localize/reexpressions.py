"""Where the target computes the same with other operators: between cut points, and never a fault."""

from __future__ import annotations

from safeconvert.localize.alignment import Alignment
from safeconvert.localize.findings import Reexpression

_MOST = 200


def reexpressions(alignment: Alignment) -> list[Reexpression]:
    """Where the operators differ but the values do not; the first 200, in the target's order."""
    source, target = alignment.source, alignment.target
    wrong = {region.exit.target for region in alignment.regions}
    matched = {pair.source for pair in alignment.pairs.values()}
    found = []
    for node in target.nodes:
        name = node.output[0]
        pair = alignment.pairs.get(name)
        if pair is None or name in wrong:
            continue
        theirs, border = target.slice_back(name, alignment.pairs)
        moved = any(alignment.pairs[read].source == pair.source for read in border if read in alignment.pairs)
        ours = [] if moved else source.slice_back(pair.source, matched)[0]
        left = tuple(source.nodes[number].op_type for number in ours)
        right = tuple(target.nodes[number].op_type for number in theirs)
        if sorted(left) != sorted(right):
            found.append(Reexpression(left, right, name))
    return found[:_MOST]
