"""An absolute tolerance never lets through what is large for its output; an output that is never above it is not compared."""

from __future__ import annotations

import numpy as np
import pytest

from safeconvert.compare.scale import fitted, not_compared, output_scales
from safeconvert.compare.settings import Tolerance, VerifySettings


def test_the_range_is_taken_over_all_chunks_and_finite_values() -> None:
    chunks = [{"y": np.array([[1.0, -3.0]])}, {"y": np.array([[np.inf, 2.0]])}, {"y": np.zeros((1, 2))}]
    assert output_scales(chunks) == {"y": 3.0}
    assert output_scales([{"y": np.zeros((4, 0))}]) == {"y": 0.0}
    assert output_scales([{"y": np.array([3 + 4j])}]) == {"y": 5.0}


@pytest.mark.parametrize(("scale", "atol"), [(1e-7, 1e-11), (1e-2, 1e-6), (1.0, 1e-5), (1e4, 1e-5), (0.0, 1e-5)])
def test_the_tolerance_follows_a_small_range_and_no_large_one(scale: float, atol: float) -> None:
    assert fitted(VerifySettings(), {"y": scale}).tolerance_for("y").atol == pytest.approx(atol)


def test_what_a_user_gave_stays() -> None:
    own = VerifySettings(tolerances={"y": Tolerance(1e-3, 0.5)})
    assert fitted(own, {"y": 1e-7}).tolerance_for("y") == Tolerance(1e-3, 0.5)
    assert fitted(VerifySettings(atol_given=True), {"y": 1e-7}).tolerance_for("y").atol == 1e-5
    assert fitted(VerifySettings(comparator="mine:own"), {"y": 1e-7}).tolerance_for("y").atol == 1e-5


def test_outputs_that_tell_nothing_are_named() -> None:
    scales, elements = (
        {"small": 1e-7, "zero": 0.0, "good": 1.0},
        {"small": 8, "zero": 8, "good": 8, "ids": 8, "none": 0},
    )
    assert set(not_compared(VerifySettings(), scales, elements)) == {"zero", "none"}
    found = not_compared(VerifySettings(atol_given=True), scales, elements)
    assert set(found) == {"small", "zero", "none"} and "1e-07" in found["small"]
