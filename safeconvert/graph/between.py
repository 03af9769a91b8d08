"""A copy of a graph that tells how far its values are from lying where a bound, a threshold or a mask of another graph makes a difference."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from safeconvert.graph.coverage_points import Point
from safeconvert.graph.differing_bounds import FAR, Differing, Shown

Array = np.ndarray[Any, Any]
_MASKED = -50.0
_LIST_AXES = {"ReduceMin": 18, "ReduceMax": 18, "ReduceSum": 13, "Unsqueeze": 13}
"""From which opset on axes are an input."""


def add_points(copy: onnx.ModelProto, differing: Sequence[Differing]) -> list[Point]:
    """Add to a graph an output for each place, below zero where its values show the difference, and give the points that are exercised there."""
    points = []
    for index, one in enumerate(differing):
        built = _Built(copy, f"between::{index}:")
        if one.shown is Shown.ELEMENT:
            apart = built.outside(built.real(one.tensor), one.low, one.high)
        elif one.shown is Shown.ROW:
            apart = _row(built, one)
        elif one.shown is Shown.SCORE:
            apart = _score(built, one)
        else:
            apart = _overlap(built, one)
        least = built.reduced("ReduceMin", apart, None)
        copy.graph.output.append(helper.make_empty_tensor_value_info(least))
        points.append(Point("sides", one.label, (least, least), 0.0))
    return points


class _Built:
    """Nodes at the end of a graph."""

    def __init__(self, model: onnx.ModelProto, prefix: str) -> None:
        self._graph, self._prefix, self._count = model.graph, prefix, 0
        self._opset = max((one.version for one in model.opset_import if one.domain in ("", "ai.onnx")), default=1)

    def name(self) -> str:
        self._count += 1
        return f"{self._prefix}{self._count}"

    def number(self, value: Any, kind: type[np.generic] = np.float32) -> str:
        """A constant."""
        name = self.name()
        self._graph.initializer.append(numpy_helper.from_array(np.asarray(value, kind), name))
        return name

    def node(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """What a node gives."""
        name = self.name()
        self._graph.node.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def real(self, tensor: str) -> str:
        """A tensor as float32."""
        return self.node("Cast", tensor, to=TensorProto.FLOAT)

    def along(self, kind: str, tensor: str, axis: int, **attributes: Any) -> str:
        """A node that takes one axis, as its opset has it."""
        if self._opset >= _LIST_AXES[kind]:
            return self.node(kind, tensor, self.number([axis], np.int64), **attributes)
        return self.node(kind, tensor, axes=[axis], **attributes)

    def reduced(self, kind: str, tensor: str, axis: int | None) -> str:
        """The least or the largest value: of all, or along an axis, which stays."""
        if axis is None:
            return self.node(kind, tensor, keepdims=0)
        return self.along(kind, tensor, axis, keepdims=1)

    def two_best(self, scores: str) -> tuple[str, str]:
        """The two largest along the last of three axes, and their places."""
        names = [self.name(), self.name()]
        self._graph.node.append(helper.make_node("TopK", [scores, self.number([2], np.int64)], names, axis=2))
        return names[0], names[1]

    def outside(self, tensor: str, low: Array, high: Array) -> str:
        """How far values are from lying between two numbers, negative where they do."""
        below = self.node("Sub", self.number(np.clip(low, -FAR, FAR)), tensor)
        return self.node("Max", below, self.node("Sub", tensor, self.number(np.clip(high, -FAR, FAR))))


def _row(built: _Built, one: Differing) -> str:
    """Of each row of scores how far those that are not masked are from being as low as the mask; far off where all are."""
    kept = one.mask if one.kept else built.node("Not", one.mask) if one.kept is False else ""
    kept = kept or built.node("Greater", built.real(one.mask), built.number(_MASKED))
    scores = built.real(one.tensor)
    apart = built.node("Sub", scores, built.number(one.high))
    seen = built.node("Where", kept, apart, built.number(-FAR))
    return _known(built, built.reduced("ReduceMax", seen, -1))


def _known(built: _Built, row: str) -> str:
    """Rows of which nothing is seen are far off."""
    nothing = built.node("Less", row, built.number(-FAR / 2))
    return built.node("Where", nothing, built.number(FAR), row)


def _score(built: _Built, one: Differing) -> str:
    """Of each class how far a score is from lying between; further where so many are higher that no more boxes are taken."""
    apart = built.reduced("ReduceMin", built.outside(one.mask, one.low, one.high), 2)
    higher = built.node("Greater", one.mask, built.number(one.high))
    count = built.along("ReduceSum", built.real(higher), 2, keepdims=1)
    return built.node("Max", apart, built.node("Sub", count, built.number(one.limit - 0.5)))


def _overlap(built: _Built, one: Differing) -> str:
    """Of each class how far the overlap of its two best boxes is from lying between; further where the second one's score is too low to count.

    The best box is never left out for another one, and nothing but the best leaves the second one out.
    """
    best, places = built.two_best(one.mask)
    flat = built.along("Unsqueeze", built.node("Reshape", places, built.number([0, -1], np.int64)), 2)
    rows = built.node("Expand", flat, built.number([1, 1, 4], np.int64))
    boxes = built.node(
        "Reshape", built.node("GatherElements", one.tensor, rows, axis=1), built.number([-1, 2, 4], np.int64)
    )
    four = [built.node("Gather", boxes, built.number(index, np.int64), axis=2) for index in range(4)]
    if one.centred:
        halves = [built.node("Mul", size, built.number(0.5)) for size in four[2:]]
        ends = [
            (built.node("Sub", at, half), built.node("Add", at, half)) for at, half in zip(four, halves, strict=False)
        ]
    else:
        ends = [(built.node("Min", a, b), built.node("Max", a, b)) for a, b in zip(four[:2], four[2:], strict=True)]
    shared, areas = "", ""
    for low, high in ends:
        common = built.node("Sub", built.reduced("ReduceMin", high, 1), built.reduced("ReduceMax", low, 1))
        length = built.node("Sub", high, low)
        shared = built.node("Mul", shared, built.node("Relu", common)) if shared else built.node("Relu", common)
        areas = built.node("Mul", areas, length) if areas else length
    union = built.node("Sub", built.along("ReduceSum", areas, 1, keepdims=1), shared)
    share = built.node("Div", shared, built.node("Max", union, built.number(1e-12)))
    second = built.node("Reshape", built.reduced("ReduceMin", best, 2), built.number([-1, 1], np.int64))
    missing = built.node("Sub", built.number(one.limit), second)
    sides = built.node("Reshape", built.outside(share, one.low, one.high), built.number([-1, 1], np.int64))
    return built.node("Max", sides, missing)
