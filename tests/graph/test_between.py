"""Bounds and masks that are others in the target are found, and samples on which they matter are told from all others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper

from safeconvert.graph.between import add_points
from safeconvert.graph.coverage import Coverage
from safeconvert.graph.differing_bounds import Shown, differing_bounds
from safeconvert.graph.sleeping import waking
from tests.onnx_models import model

Array = np.ndarray[Any, Any]


def bounded(kind: str, value: Any, **attributes: Any) -> onnx.ModelProto:
    nodes = [helper.make_node("Neg", ["x"], ["h"]), helper.make_node(kind, ["h", "c"], ["y"], kind, **attributes)]
    return model(nodes, {"x": ["n", 3]}, ["y"], {"c": np.asarray(value)})


def masking(low: float, how: str) -> onnx.ModelProto:
    """Scores x, masked above the diagonal: chosen, added, or added behind a product."""
    seen = np.tri(3, dtype=bool)
    constants: Mapping[str, Array] = {
        "where": {"low": np.float32(low), "seen": seen},
        "add": {"low": np.where(seen, 0, low).astype(np.float32)},
        "mul": {"low": np.float32(low), "hidden": (~seen).astype(np.float32)},
    }[how]
    nodes = {
        "where": [helper.make_node("Where", ["seen", "s", "low"], ["m"], "mask")],
        "add": [helper.make_node("Add", ["s", "low"], ["m"], "mask")],
        "mul": [helper.make_node("Mul", ["hidden", "low"], ["a"], "mask"), helper.make_node("Add", ["s", "a"], ["m"])],
    }[how]
    nodes = [helper.make_node("Neg", ["x"], ["s"]), *nodes, helper.make_node("Softmax", ["m"], ["y"], axis=-1)]
    return model(nodes, {"x": ["n", 3, 3]}, ["y"], dict(constants))


def shown_by(source: onnx.ModelProto, target: onnx.ModelProto, *calls: list[Array]) -> list[bool]:
    """Of each call whether it shows the one place in which both differ."""
    [place] = differing_bounds(source, target)
    copy, points = waking(source, [])
    coverage = Coverage(source, (copy, [*points, *add_points(copy, [place])]))
    return [bool(coverage.exercised(call)) for call in calls]


@pytest.mark.parametrize(
    ("kind", "shows", "hides"),
    [("Greater", -3.0, -5.0), ("Less", -3.0, -1.0), ("Min", -9.0, -1.0), ("Max", -1.0, -9.0)],
)
def test_values_between_two_bounds_show_them(kind: str, shows: float, hides: float) -> None:
    source, target = bounded(kind, np.float32(2)), bounded(kind, np.float32(4))
    calls = [[np.full((1, 3), value, np.float32)] for value in (shows, hides)]
    assert shown_by(source, target, *calls) == [True, False]
    assert differing_bounds(source, source) == []


def test_of_several_bounds_the_one_that_is_another_counts() -> None:
    source, target = bounded("Max", np.float32([2, 2, 2])), bounded("Max", np.float32([2, 4, 2]))
    calls = [[np.float32([[-1, -5, -1]])], [np.float32([[-5, -3, -5]])]]
    assert shown_by(source, target, *calls) == [False, True]


@pytest.mark.parametrize("how", ["where", "add", "mul"])
def test_scores_below_a_mask_show_that_it_is_another(how: str) -> None:
    source, target = masking(-1e9, how), masking(-1e4, how)
    low, usual = np.full((1, 3, 3), 2e4, np.float32), np.ones((1, 3, 3), np.float32)
    assert shown_by(source, target, [low], [usual]) == [True, False]
    [place] = differing_bounds(source, target)
    assert place.shown is Shown.ROW and place.tensor == "s" and "-10000 where" in place.label
    assert differing_bounds(masking(-3e38, how), masking(-1e38, how)) == []


def test_overlaps_and_scores_between_two_thresholds_show_them() -> None:
    def net(overlap: float, score: float) -> onnx.ModelProto:
        nodes = [helper.make_node("NonMaxSuppression", ["b", "s", "most", "overlap", "score"], ["y"], "nms")]
        constants = {"most": np.int64(2), "overlap": np.float32(overlap), "score": np.float32(score)}
        return model(nodes, {"b": [1, "n", 4], "s": [1, 1, "n"]}, ["y"], constants)

    boxes = np.float32([[[0, 0, 1, 1], [0, 0.36, 1, 1.36], [5, 5, 6, 6]]])  # 0.64 of 1.36: 0.47
    calls = [[boxes, np.float32([[scores]])] for scores in ([0.9, 0.8, 0.1], [0.9, 0.1, 0.8], [0.9, 0.28, 0.1])]
    assert shown_by(net(0.5, 0.3), net(0.45, 0.3), *calls) == [True, False, False]
    assert shown_by(net(0.5, 0.3), net(0.5, 0.25), *calls) == [False, False, True]
