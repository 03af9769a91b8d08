"""Bounds that only one of two graphs has: beyond them it is another function, however alike both are within."""

from __future__ import annotations

import onnx

from safeconvert.graph.coverage_outputs import instrumented

_DIGITS = 5


def own_bounds(source: onnx.ModelProto, target: onnx.ModelProto) -> list[str]:
    """Sides of bounds that stand in the target and at no place of the source, in the words of `coverage_points`, in the target's order.

    That a target has some is no fault: an activation that the source names may be written as its parts.
    """
    known = {
        _said(bound) for point in instrumented(source)[1] for bound in (point.low, point.high) if bound is not None
    }
    found = []
    for point in instrumented(target)[1]:
        if point.kind == "sides":
            bounds = [bound for bound in (point.low, point.high) if bound is not None]
            found += [item for item, bound in zip(point.items(), bounds, strict=True) if _said(bound) not in known]
    return list(dict.fromkeys(found))


def _said(bound: float) -> str:
    return f"{bound:.{_DIGITS}g}"
