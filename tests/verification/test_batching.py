"""What differs within the tolerance is no mixing of samples, however far it is of a tiny value."""

from __future__ import annotations

import numpy as np

from safeconvert.compare.discrepancy import Accumulator
from safeconvert.compare.settings import VerifySettings
from safeconvert.verification.batching import beyond_rounding


def beyond(source: list[list[float]], target: list[list[float]]) -> bool:
    figures = Accumulator(VerifySettings())
    figures.add({"y": np.float32(source)}, {"y": np.float32(target)}, np.arange(len(source)))
    return beyond_rounding(figures.result(), 1e-3)


def test_only_what_is_beyond_tolerance_and_rounding_counts() -> None:
    assert not beyond([[1, 1e-14, 2e-14]], [[1, 2e-14, 1e-14]])
    assert not beyond([[1, 0.5]], [[1, 0.5005]])  # beyond tolerance, and may be rounding
    assert beyond([[1, 0.5]], [[1, 0.51]])
    assert beyond([[1, 0.5]], [[1, float("nan")]])
