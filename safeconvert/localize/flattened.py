"""In which order a flattened tensor reaches a matrix product, on either side."""

from __future__ import annotations

from typing import Any

import numpy as np

from safeconvert.graph.execution import run_part
from safeconvert.graph.operators import MOVES
from safeconvert.graph.view import GraphView
from safeconvert.localize.isolated import IsolatedRegion

Array = np.ndarray[Any, Any]
_EXACT = 1 << 24  # integers up to here are exact in float32


def row_order(part: IsolatedRegion, source: GraphView, ours: int, theirs: int) -> Array | None:
    """For each row of the target's weights, the row of the source's that belongs there; None where rows are in order.

    A tensor that holds its own element numbers is sent through the operators that only move elements: a flatten of NHWC
    numbers its elements otherwise than one of NCHW, and the rows of the weights behind have to follow.
    """
    if len(part.entries) != 1:
        return None
    (pair,) = part.entries.values()
    mine, other = source.nodes[ours].input[0], part.target.nodes[theirs].input[0]
    shape = part.source_feeds[0][pair.source].shape
    size = int(np.prod(shape))
    if size > _EXACT or not _only_moves(source, mine, pair.source) or not _only_moves(part.target, other, pair.target):
        return None
    numbers = np.arange(size, dtype=np.float32).reshape(shape)
    moved = pair.relation.to_target(numbers, part.target_feeds[0][pair.target].shape)
    left = _carried(source, pair.source, numbers, mine)
    right = _carried(part.target, pair.target, moved, other)
    if left is None or right is None or left.shape[-1] != right.shape[-1]:
        return None
    first, second = left.reshape(-1, left.shape[-1])[0], right.reshape(-1, right.shape[-1])[0]
    if np.array_equal(first, second) or not np.array_equal(np.sort(first), np.sort(second)):
        return None
    found: Array = np.argsort(first)[np.searchsorted(np.sort(first), second)]
    return found


def _only_moves(view: GraphView, name: str, entry: str) -> bool:
    return all(view.nodes[number].op_type in MOVES for number in view.slice_back(name, [entry])[0])


def _carried(view: GraphView, entry: str, numbers: Array, name: str) -> Array | None:
    if name == entry:
        return numbers
    return run_part(view, [{entry: numbers}], None, [name])[0].get(name)
