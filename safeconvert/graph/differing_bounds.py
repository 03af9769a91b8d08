"""Bounds, thresholds and masks that are other numbers in one of two graphs: only what lies between both shows the difference."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import onnx

from safeconvert.graph.constants import small_constants

Array = np.ndarray[Any, Any]
_SMALL = 1 << 16  # numbers of a constant
_MOST = 8  # places that are told
_MASK = -100.0  # numbers below are put where nothing is to be seen
FAR = 3e38
"""Stands for no bound at all."""
_HIDES_ALL = -1e30
"""No score is as low as what is below it."""
_STRICT = {"Greater": 1, "LessOrEqual": 1, "Less": -1, "GreaterOrEqual": -1}
"""On which side of a whole number the answer changes, where it is the second operand."""
_BOUNDING = {*_STRICT, "Min", "Max", "Clip", "Where", "Add", "Mul", "NonMaxSuppression"}
_PASSES = {"Identity", "Cast", "Unsqueeze", "Reshape", "Expand", "Squeeze", "Transpose", "Tile"}
_HOPS = 6


class Shown(StrEnum):
    """What shows it."""

    ELEMENT = "element"  # one between both
    ROW = "row"  # all that a row of scores does not mask
    OVERLAP = "overlap"  # of two boxes
    SCORE = "score"  # of a box


@dataclass(frozen=True)
class Differing:
    """A place of the source.

    Attributes:
        label: both numbers and their nodes, for a person.
        node: of the target.
        shown: what shows it.
        tensor: whose values have to lie between, or the boxes.
        low, high: between what, as the tensor is spread over them; `FAR` and its negative for no bound.
        mask: of a row, a tensor that is far below zero where it masks, or true where it does not; of boxes their scores.
        kept: of a mask of truths, whether true leaves a score as it is; None of one that is added.
        limit: what the scores of boxes have to be above; where a score shows it, how many boxes are taken of a class.
        centred: boxes are told by their centres.
    """

    label: str
    node: str
    shown: Shown
    tensor: str
    low: Array
    high: Array
    mask: str = ""
    kept: bool | None = None
    limit: float = 0.0
    centred: bool = False


@dataclass(frozen=True)
class _Held:
    """A constant that a node reads."""

    node: onnx.NodeProto
    index: int
    value: Array


def differing_bounds(source: onnx.ModelProto, target: onnx.ModelProto) -> list[Differing]:
    """The first few; what is left of the constants of one operator in both graphs, but for equal ones, is compared in order."""
    ours, theirs = (_held(model.graph) for model in (source, target))
    found: list[Differing] = []
    for key, several in ours.items():
        others = theirs.get(key, [])
        left = _without(several, others)
        for one, two in zip(left, _without(others, several), strict=False):
            found += _told(source.graph, one, two)
    return found[:_MOST]


def _held(graph: onnx.GraphProto) -> dict[tuple[str, int, int], list[_Held]]:
    constants, found = small_constants(graph, _SMALL), dict[tuple[str, int, int], list[_Held]]()
    for node in (one for one in graph.node if one.op_type in _BOUNDING):
        for index, name in enumerate(node.input):
            value = constants.get(name)
            if value is not None and value.dtype.kind in "fiu" and value.size:
                found.setdefault((node.op_type, index, value.size), []).append(_Held(node, index, value))
    return found


def _without(some: Sequence[_Held], others: Sequence[_Held]) -> list[_Held]:
    """Those of which no other has the same values, each other one taken once."""
    free = [other.value for other in others]
    left = []
    for one in some:
        equal = next((index for index, value in enumerate(free) if _same(one.value, value)), None)
        if equal is None:
            left.append(one)
        else:
            free.pop(equal)
    return left


def _same(one: Array, two: Array) -> bool:
    return bool(np.allclose(one.ravel().astype(float), two.ravel().astype(float), rtol=1e-5, atol=0, equal_nan=True))


def _told(graph: onnx.GraphProto, ours: _Held, theirs: _Held) -> Iterator[Differing]:
    """What shows that a constant is another one; nothing of one that is no bound."""
    node, one = ours.node, ours.value.astype(np.float64)
    two = theirs.value.astype(np.float64).reshape(one.shape)
    apart = ~np.isclose(one, two, rtol=1e-5, atol=0)
    if not apart.any():
        return
    most = [float(value[apart].flat[0]) for value in (one, two)]
    label = f"{theirs.node.op_type} {theirs.node.name} of the target has {most[1]:g} where {node.name} of the source has {most[0]:g}"
    ends = _between(node.op_type, ours, np.minimum(one, two), np.maximum(one, two))
    if node.op_type == "NonMaxSuppression" and ours.index in (3, 4):
        centred = any(one.name == "center_point_box" and one.i for one in node.attribute)
        shown = Shown.OVERLAP if ours.index == 3 else Shown.SCORE
        bounds = (np.asarray(min(most)), np.asarray(max(most)))
        limit = _number(graph, node, 4, -FAR) if shown is Shown.OVERLAP else _number(graph, node, 2, 0)
        yield Differing(label, theirs.node.name, shown, node.input[0], *bounds, node.input[1], None, limit, centred)
    elif ends is not None:
        low, high = (np.where(apart, end, far) for end, far in zip(ends, (FAR, -FAR), strict=True))
        yield Differing(label, theirs.node.name, Shown.ELEMENT, _other(node, ours.index), low, high)
    elif _HIDES_ALL < max(most) <= _MASK:
        masked = _masked(graph, node, ours.index)
        if masked is not None:
            yield Differing(
                label, theirs.node.name, Shown.ROW, masked[0], np.asarray(-FAR), np.asarray(max(most)), *masked[1:]
            )


def _number(graph: onnx.GraphProto, node: onnx.NodeProto, index: int, otherwise: float) -> float:
    """The one number that a node reads at a place."""
    value = small_constants(graph, 1).get(node.input[index]) if index < len(node.input) else None
    return float(value.flat[0]) if value is not None and value.size else otherwise


def _other(node: onnx.NodeProto, index: int) -> str:
    return str(node.input[0 if node.op_type == "Clip" else 1 - index])


def _between(kind: str, held: _Held, low: Array, high: Array) -> tuple[Array, Array] | None:
    """Where the values of the other operand show the difference; None where the constant is no bound of it."""
    none, whole = np.full_like(low, FAR), held.value.dtype.kind in "iu"
    if kind in _STRICT and len(held.node.input) == 2:
        shift = 0.5 * whole * _STRICT[kind] * (1 if held.index == 1 else -1)
        return low + shift, high + shift
    if (kind == "Min" and len(held.node.input) == 2) or (kind == "Clip" and held.index == 2):
        return low, none
    if (kind == "Max" and len(held.node.input) == 2) or (kind == "Clip" and held.index == 1):
        return -none, high
    return None


def _masked(graph: onnx.GraphProto, node: onnx.NodeProto, index: int) -> tuple[str, str, bool | None] | None:
    """Scores that a number masks, the mask, and whether true leaves them; None where it is none."""
    if node.op_type == "Where" and index in (1, 2):
        return node.input[3 - index], node.input[0], index == 2
    if node.op_type == "Add":
        return node.input[1 - index], node.input[index], None
    if node.op_type != "Mul":
        return None
    tensor = node.output[0]
    for _ in range(_HOPS):
        readers = [reader for reader in graph.node if tensor in reader.input]
        added = next((reader for reader in readers if reader.op_type == "Add"), None)
        if added is not None:
            return next((name for name in added.input if name != tensor), tensor), tensor, None
        passed = next((reader for reader in readers if reader.op_type in _PASSES and reader.input[0] == tensor), None)
        if passed is None:
            return None
        tensor = passed.output[0]
    return None
