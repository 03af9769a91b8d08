"""Quantities of very different size in one output are compared by their own size; what belongs together is not."""

from __future__ import annotations

import numpy as np
import pytest

from safeconvert.compare.comparison import Comparison
from safeconvert.compare.discrepancy import Accumulator
from safeconvert.compare.groups import group_limits, ranges_of
from safeconvert.compare.settings import VerifySettings

INF = np.inf


def test_a_gap_between_ranges_tells_groups_apart() -> None:
    assert group_limits(np.array([320.0, 200.0, 0.9, 0.5]))[:2].tolist() == [INF, INF]  # type: ignore[index]
    assert group_limits(np.array([320.0, 200.0, 0.9, 0.5]))[2:].tolist() == [0.9, 0.9]  # type: ignore[index]
    assert group_limits(np.array([9.0, 2.0, 1.0])) is None
    assert group_limits(np.array([9.0, 0.0, 1.0])) is None  # nothing is known of what is 0 throughout
    assert group_limits(np.array(3.0)) is None


def test_groups_lie_along_the_second_axis_or_the_last() -> None:
    boxes = np.array([[320.0, 300.0, 0.8], [310.0, 320.0, 0.9]])
    last, second = group_limits(boxes), group_limits(boxes.T)
    assert last is not None and last.reshape(2, 3)[:, 2].tolist() == [0.9, 0.9]
    assert second is not None and second.reshape(3, 2)[2].tolist() == [0.9, 0.9]


def test_shares_of_one_whole_have_no_groups() -> None:
    shares = np.array([[0.999, 0.0009, 0.0001], [0.99, 0.0095, 0.0005]], dtype=np.float32)
    assert ranges_of([({"y": shares}, 2)]) == {}
    assert set(ranges_of([({"y": 2 * shares}, 2)])) == {"y"}


def _compared(off: float, grouped: bool) -> Comparison:
    random = np.random.default_rng(0)
    boxes, scores = random.uniform(0, 320, size=(12, 4)), random.uniform(0, 1, size=(12, 2))
    source = np.concatenate([boxes, scores], axis=1).astype(np.float32)
    target = np.concatenate([boxes, scores * off], axis=1).astype(np.float32)
    figures = Accumulator(VerifySettings("allclose"), "", ranges_of([({"y": source}, 12)]) if grouped else None)
    figures.add({"y": source}, {"y": target}, np.arange(12))
    return figures.result()


@pytest.mark.parametrize(("off", "grouped", "equal"), [(1.02, False, True), (1.02, True, False), (1.00002, True, True)])
def test_scores_beside_boxes_are_compared_as_scores(off: float, grouped: bool, equal: bool) -> None:
    assert _compared(off, grouped).equal is equal
