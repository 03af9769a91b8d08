"""Suppression of boxes that overlap a better one: NonMaxSuppression, one step a box that it may select.

As ONNX Runtime computes it (`core/providers/cpu/object_detection/non_max_suppression.cc`): of the boxes of each batch and class whose
score is above the threshold, the best is selected, and those that overlap it by more than the other threshold fall out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .elementwise import like
from .node import Node

_MOST = 320  # boxes of a class: each is a step of some twenty operations
_DEAD = float(np.finfo(np.float32).min)


def _number(n: Node, position: int) -> Any:
    """A number that is known, one that is not as a tensor of shape [1, 1, 1], or None where it is left out."""
    value = n.given(position)
    if value is not None and not isinstance(value, np.ndarray):
        return n.backend.reshape(value, [1, 1, 1])
    return None if value is None or not value.size else float(value.reshape(-1)[0])


def _beside(n: Node, x: Any, number: Any) -> Any:
    return like(n, x, number) if isinstance(number, float) else number


def _corners(n: Node, boxes: Any) -> list[Any]:
    """Lower and upper ends of the boxes along both axes, (batch, 1, boxes) each."""
    b = n.backend
    shape = list(b.shape(boxes))
    columns = [
        b.reshape(b.slice(boxes, [slice(None), slice(None), slice(at, at + 1)]), [shape[0], 1, shape[1]])
        for at in range(4)
    ]
    if not n.attribute("center_point_box", 0):
        first, second, third, fourth = columns
        return [
            b.map("min", first, third), b.map("min", second, fourth), b.map("max", first, third), b.map("max", second, fourth),
        ]  # fmt: skip
    x, y, width, height = columns
    half = like(n, x, 2)
    sizes = [b.map("div", size, half) for size in (width, height)]
    return [b.map(name, at, size) for name in ("sub", "add") for at, size in zip((x, y), sizes, strict=True)]


def _area(n: Node, ends: list[Any]) -> Any:
    b = n.backend
    return b.map("mul", b.map("sub", ends[2], ends[0]), b.map("sub", ends[3], ends[1]))


def _overlaps(n: Node, one: list[Any], others: list[Any], areas: tuple[Any, Any], limit: Any) -> Any:
    """Whether boxes overlap by more than a share of their union; boxes without area never do."""
    b = n.backend
    low = [b.map("max", one[at], others[at]) for at in (0, 1)]
    high = [b.map("min", one[at], others[at]) for at in (2, 3)]
    zero = like(n, others[0], 0)
    sides = [b.map("max", b.map("sub", top, bottom), zero) for bottom, top in zip(low, high, strict=True)]
    shared = b.map("mul", *sides)
    union = b.map("sub", b.map("add", *areas), shared)
    there = b.map("gt", shared, zero)
    for size in (*areas, union):
        there = b.map("and", there, b.map("gt", size, zero))
    share = b.map("div", shared, b.map("where", there, union, like(n, shared, 1)))
    return b.map("and", there, b.map("gt", share, _beside(n, shared, limit)))


def _suppression(n: Node) -> Any:
    b, (boxes, scores) = n.backend, n.inputs[:2]
    shape = list(b.shape(scores))
    most = _number(n, 2)
    classes, count = shape[1:]
    if not isinstance(classes, int) or not isinstance(count, int):
        raise n.refuse("the number of boxes or of classes is free")
    steps = min(int(most or 0), count) if most is None or isinstance(most, float) else count
    if steps > _MOST:
        raise n.refuse(
            f"selects up to {steps} boxes of a class, each of which is a step; at most {_MOST} are written out"
        )
    if steps <= 0:
        return np.zeros((0, 3), np.int64)
    if b.dtype(scores) != "float32":
        raise n.refuse(f"scores of type {b.dtype(scores)} are not supported")
    limit, least = _number(n, 3), _number(n, 4)
    limit = 0.0 if limit is None else limit
    ends = _corners(n, boxes)
    area = _area(n, ends)
    dead, none = like(n, scores, _DEAD), like(n, boxes, 0)
    left = scores if least is None else b.map("where", b.map("gt", scores, _beside(n, scores, least)), scores, dead)
    numbers = np.arange(count, dtype=np.int64).reshape(1, 1, count)
    chosen, there = [], []
    for step in range(steps):
        best = b.reshape(b.arg("max", left, 2), [shape[0], classes, 1])
        alive = b.map("gt", b.reduce("max", left, [2], True), dead)
        if most is not None and not isinstance(most, float):
            alive = b.map("and", alive, b.map("gt", b.cast(most, "int64"), np.asarray(step, np.int64)))
        here = b.map("eq", best, numbers)
        own = [b.reduce("sum", b.map("where", here, end, none), [2], True) for end in ends]
        falls = b.map("or", here, _overlaps(n, own, ends, (_area(n, own), area), limit))
        left = b.map("where", falls, dead, left)
        chosen.append(best)
        there.append(alive)
    places = b.positions(b.reshape(b.concat(there, 2), [-1]))
    boxes_at = b.take(b.reshape(b.concat(chosen, 2), [-1]), places, 0)
    sizes = [np.asarray(size, np.int32) for size in (classes * steps, steps, classes)]
    short = b.cast(places, "int32")  # which TFLite divides; it has no division of int64
    batch = b.cast(b.map("quotient", short, sizes[0]), "int64")
    kind = b.cast(b.map("mod", b.map("quotient", short, sizes[1]), sizes[2]), "int64")
    return b.concat([b.reshape(column, [-1, 1]) for column in (batch, kind, boxes_at)], 1)


OPERATORS: Mapping[str, Callable[[Node], Any]] = {"NonMaxSuppression": _suppression}
