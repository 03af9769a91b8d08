"""What depends on free sizes. A proof is made at one size of each; a graph that computes with sizes, as with numbers, may be another function at others."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx

from safeconvert.prove.kernel.terms import Array

_MOVES = {"Shape", "Gather", "Slice", "Concat", "Squeeze", "Unsqueeze", "Reshape", "Cast", "Identity", "Split"}
_SHAPES = {("Reshape", 1), ("Expand", 1), ("Tile", 1), ("Resize", 2), ("Resize", 3)}
"""Operands that only say what shape a result has."""


def depending(nodes: tuple[onnx.NodeProto, ...], here: Mapping[str, Array], there: Mapping[str, Array]) -> set[str]:
    """Constants that are computed from free sizes, from the constants at two sizes.

    Operators that only move sizes tell by their values which of these they move; of all others, whatever is computed from one that depends does.
    """
    found: set[str] = set()
    computed: set[str] = set()
    for node in nodes:
        reads = found.intersection(node.input)
        moved = node.input if node.op_type == "Concat" else node.input[:1]
        moves = node.op_type in _MOVES and reads <= set(moved) and not reads & computed
        for name in [name for name in node.output if name in here]:
            if reads and not moves:
                computed.add(name)
            if name in computed or name not in there or not np.array_equal(here[name], there[name]):
                found.add(name)
    return found


def is_shape(node: onnx.NodeProto, place: int) -> bool:
    """Whether an operand only says what shape the result has."""
    return node.domain in ("", "ai.onnx") and (node.op_type, place) in _SHAPES
