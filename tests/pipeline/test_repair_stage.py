"""Which ONNX forms a repair may work on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from safeconvert.compare.comparison import Comparison
from safeconvert.verification.faithful import export_is_faithful
from safeconvert.verification.types import ExporterCheck

FIGURES = Comparison(10, 0, 0.0, 0.26, 0, 0, 1, 1e-3, 1e-4, 1.2e-4, False, (), ())


@pytest.mark.parametrize("verdict", ["equal", "none"])
def test_a_form_that_is_the_model_serves(verdict: str) -> None:
    assert export_is_faithful(ExporterCheck("tf2onnx", verdict, ""), 0.0)


@pytest.mark.parametrize(
    ("figures", "apart", "serves"),
    [
        (FIGURES, 1.4, True),  # rounding beside a fault
        (FIGURES, 1e-3, False),  # rounding that could be most of the difference
        (FIGURES, 0.0, False),
        (replace(FIGURES, disagreements=1), 1.4, False),
        (replace(FIGURES, nonfinite=1), 1.4, False),
        (replace(FIGURES, relative=float("nan")), 1.4, False),
        (replace(FIGURES, relative=float("inf")), float("inf"), False),
        (None, 1.4, False),  # it does not run
    ],
)
def test_a_form_that_is_not_serves_where_it_is_far_nearer_than_the_target(
    figures: Comparison | None, apart: float, serves: bool
) -> None:
    assert export_is_faithful(ExporterCheck("tf2onnx", "different", "said", figures), apart) is serves
