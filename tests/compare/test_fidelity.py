"""SQNR, cosine and steps of a quantised output."""

from __future__ import annotations

import math

import numpy as np
import pytest

from safeconvert.compare.fidelity import fidelity


def test_a_difference_of_one_step_is_one_step() -> None:
    source = np.array([[1.0, -2.0], [0.5, 4.0]])
    target = source + np.array([[0.0, 0.25], [0.0, 0.0]])
    found = fidelity("y", source, target, 0.25)
    assert found is not None and found.steps == 1.0
    assert found.sqnr == pytest.approx(10 * math.log10(21.25 / 0.0625))
    assert 0.99 < found.cosine < 1 and found.median == 0.125


def test_the_same_values_have_no_noise() -> None:
    found = fidelity("y", np.ones((2, 2)), np.ones((2, 2)), None)
    assert found is not None and found.sqnr == math.inf and found.cosine == pytest.approx(1) and found.steps is None
    assert found.to_json()["sqnr_db"] == "inf"


def test_samples_that_are_not_finite_are_left_out_and_integers_have_none() -> None:
    source, target = np.ones((2, 2)), np.array([[np.nan, 1.0], [1.0, 1.0]])
    found = fidelity("y", source, target, None)
    assert found is not None and found.sqnr == math.inf
    assert fidelity("y", np.ones((2, 2), np.int64), np.ones((2, 2), np.int64), None) is None
    assert fidelity("y", np.ones((2, 2)), np.ones((2, 3)), None) is None
