"""The line of a verdict: what was compared, on how many inputs of which origin, what they exercise; and no longer than a line."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from safeconvert.compare.comparison import Comparison, OutputComparison
from safeconvert.verification.coverage import Coverage
from safeconvert.verification.types import Searched
from safeconvert.verification.verdict import covering, rounding_remarks, verdict_line


def figures(samples: int, values: int = 0, far: int = 0, reason: str = "", **more: Any) -> Comparison:
    output = OutputComparison("y", "allclose", values, 4.17e-06, 1e-7, 1.2e-06, reason)
    return Comparison(
        samples, values, values / samples, 0.01, 0, 0, far, 4.17e-06, 1e-7, 1.2e-06, not (values or far), (output,), (), **more
    )  # fmt: skip


def source(
    kind: str = "keras", generated: bool = False, exercised: int = 411, items: int = 412, reason: str = ""
) -> Any:
    coverage: Future[Coverage] = Future()
    names = tuple(str(number) for number in range(items))
    coverage.set_result(Coverage(names, frozenset(names[:exercised]), 96, reason))
    data = SimpleNamespace(generated=generated, inputs=SimpleNamespace(count=200))
    return SimpleNamespace(file=SimpleNamespace(format=kind), data=data, coverage=coverage)


def found(native: Comparison, joined: Comparison | None = None, searched: Searched | None = None) -> Any:
    return SimpleNamespace(native=native, joined=joined, searched=searched)


SEARCHED = Searched(432, 8, 64, None, 0.4)
REFUSED = replace(figures(180), equal=False)
REFUTED = Searched(128, 2, 64, None, 0.4, figures=figures(3, 3))


@pytest.mark.parametrize(
    ("comparison", "compared_with", "refuting", "line"),
    [
        (found(figures(180), figures(16), SEARCHED), source(), None,
         "equal to the Keras source on 180 given, 16 generated and 432 searched inputs, covering 99 % of 412 items"),
        (found(figures(32), None, SEARCHED), source("torch", True, 5, 5), None,
         "equal to the PyTorch source on 32 generated and 432 searched inputs, covering 100 % of 5 items"),
        (found(figures(12)), source("onnx", False, 0, 0), None, "equal to the ONNX source on 12 given inputs"),
        (found(figures(12), None, SEARCHED), source("tf", False, 1, 1, "the source has no ONNX form"), None,
         "equal to the TensorFlow source on 12 given and 432 searched inputs; what they exercise is not known"),
        (found(figures(180, 3, 147)), source(), None,
         "differs from the Keras source on 147 of 180 given inputs (labels or values on 3, distance on 147); max-abs 4.17e-06, relative 1.2e-06"),
        (found(figures(40, 0, 7)), source("tflite", True), np.array([3, 250]),
         "differs from the TFLite source on 7 of 40 generated inputs (distance beyond tolerance); max-abs 4.17e-06, relative 1.2e-06"),
        (found(figures(40, 7)), source("tflite"), np.array([3, 250]),
         "differs from the TFLite source on 7 of 40 given and generated inputs (labels or values); max-abs 4.17e-06, relative 1.2e-06"),
        (found(REFUSED, figures(16, 2)), source(), None,
         "differs from the Keras source on 2 of 16 generated inputs (labels or values); max-abs 4.17e-06, relative 1.2e-06; equal on 180 given inputs"),
        (found(REFUSED, figures(16), REFUTED), source(), None,
         "differs from the Keras source on 3 of 128 searched inputs (labels or values); max-abs 4.17e-06, relative 1.2e-06; "
         "equal on 180 given and 16 generated inputs"),
        (found(figures(4, 4, 0, "source shape [4, 2], target shape [4, 3]")), source(), None,
         "differs from the Keras source on 4 of 4 given inputs (labels or values: source shape [4, 2], target shape [4, 3]); "
         "max-abs 4.17e-06, relative 1.2e-06"),
    ],
)  # fmt: skip
def test_it_says_what_was_compared_on_which_inputs(
    comparison: Any, compared_with: Any, refuting: Any, line: str
) -> None:
    assert verdict_line(comparison, compared_with, refuting) == line


def test_it_is_a_line_with_large_numbers_too() -> None:
    large = found(figures(10_000), figures(96), SEARCHED)
    assert len(verdict_line(large, source("tf", False, 1400, 1412))) <= 112


def test_what_is_not_all_is_never_called_all_of_it() -> None:
    assert covering(source(exercised=99_999, items=100_000).coverage.result()) == ", covering 99 % of 100000 items"


def test_rounding_stands_beside_it() -> None:
    assert rounding_remarks(found(figures(180))) == ()
    (line,) = rounding_remarks(found(figures(180, rounded=3, exact_relative=2e-9)))
    assert (
        line
        == "3 inputs are beyond tolerance by rounding alone: in float64 the two graphs are 2e-09 of the scale apart"
    )
