"""What depends on free sizes. A proof is made at one size of each; a graph that computes with sizes, as with numbers, may be another function at others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import onnx

from safeconvert.prove.axioms.spreading import keeps
from safeconvert.prove.kernel.terms import Array

Known = Mapping[str, Array]
_MOVES = {"Shape", "Gather", "Slice", "Concat", "Squeeze", "Unsqueeze", "Reshape", "Cast", "Identity", "Split"}
_SHAPES = {("Reshape", 1), ("Expand", 1), ("Tile", 1), ("Resize", 2), ("Resize", 3)}
"""Operands that only say what shape a result has."""
_SPREAD = {"Expand": 1, "ConstantOfShape": 0, "Reshape": 1}
"""Operators that only spread numbers, and which operand says how far; Reshape does so with one number."""
_SPREADING: set[object] = {"Add", "Sub", "Mul", "Div", "Concat", "Where", ("LSTM", 5), ("LSTM", 6), ("GRU", 5)}
"""Operators, or single operands of them, that read what is spread number by number; others might count how often it is there."""


def depending(nodes: Sequence[onnx.NodeProto], here: Known, there: Known) -> set[str]:
    """Constants that are computed from free sizes, from the constants at two sizes.

    Operators that only move sizes tell by their values which of these they move; of all others, whatever is computed from one that depends does.
    """
    found, made = set[str](), set[str]()
    for node in nodes:
        reads = found.intersection(node.input)
        moves = node.op_type in _MOVES and not reads & made and (node.op_type == "Concat" or reads <= {node.input[0]})
        for name in [name for name in node.output if name in here]:
            if reads and not moves:
                made.add(name)
            if name in made or name not in there or not np.array_equal(here[name], there[name]):
                found.add(name)
    return found


def spread(nodes: Sequence[onnx.NodeProto], sized: set[str], here: Known, there: Known) -> set[str]:
    """Of what depends on free sizes, constants of which only the shape does: what is spread along them, and what is made of that."""
    found: set[str] = set()
    for node in nodes:
        reads = sized.intersection(node.input)
        plain = node.op_type in _SPREAD and reads.intersection(node.input[: _SPREAD[node.op_type]]) <= found
        one = node.op_type != "Reshape" or not reads or len(np.unique(here.get(node.input[0], np.ones(1)))) == 1
        summed = reads if node.op_type == "ReduceSum" else node.input if node.op_type == "Concat" else [""]
        zero = not any(here.get(name, np.ones(1)).any() for name in summed)
        part = reads <= found and (zero or keeps(node, reads, here, there))
        found.update(name for name in node.output if name in sized and ((plain and one) or part))
    return found


def harmless(node: onnx.NodeProto, index: int, is_spread: bool) -> bool:
    """Whether what depends on a free size may be this operand: one that says what shape the result has, or that is only spread."""
    names = {node.op_type, (node.op_type, index)} if node.domain in ("", "ai.onnx") else set()
    return not names.isdisjoint(_SHAPES) or (is_spread and not names.isdisjoint(_SPREADING))
