"""Outputs that are 0 or 1 throughout, and samples that all have one label."""

from __future__ import annotations

import numpy as np
import pytest

from safeconvert.compare.saturated import is_saturated, only_label


@pytest.mark.parametrize(
    ("rows", "saturated"),
    [
        ([[1, 0], [0.9999, 0.0001], [0.5, 0.5]], True), ([[0.9, 0.1], [0.8, 0.2]], False), ([[-1, 1], [1, -1]], True),
        ([[0, 0], [0, 0]], False), ([[7, 1], [3, 2]], False), ([[1, 0], [0.5, 0.5]], False),
    ],
)  # fmt: skip
def test_saturated(rows: list[list[float]], saturated: bool) -> None:
    assert is_saturated(np.array(rows, dtype=np.float32)) is saturated


def test_one_label() -> None:
    assert only_label(np.float32([[0.1, 0.9], [0.2, 0.8]])) == 1
    assert only_label(np.float32([[0.1, 0.9], [0.9, 0.8]])) is None
    assert only_label(np.float32([[0.1, 0.9]])) is None and only_label(np.zeros((3, 2, 2), "f4")) is None
