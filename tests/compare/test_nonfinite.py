"""NaN and Inf never agree, unless that is asked for: then only at the same places, of one sign, and with all else equal."""

from __future__ import annotations

import numpy as np
import pytest

from safeconvert.compare.comparison import Comparison
from safeconvert.compare.discrepancy import Accumulator
from safeconvert.compare.settings import VerifySettings

NAN, INF = np.nan, np.inf
TOP = float(np.finfo(np.float32).max)


def compared(source: list[float], target: list[float], comparator: str | None = None, allow: bool = True) -> Comparison:
    settings = VerifySettings(comparator=comparator, nonfinite=allow, top_k=1)
    figures = Accumulator(settings)
    one, two = (np.asarray([side], np.float32) for side in (source, target))
    figures.add({"y": one}, {"y": two}, np.arange(1))
    return figures.result()


KINDS = [None, "label", "top1", "topk", "allclose", "cosine", "exact"]


@pytest.mark.parametrize("comparator", KINDS)
@pytest.mark.parametrize("odd", [NAN, INF, -INF, TOP])
def test_the_same_at_the_same_place_agrees_where_it_is_allowed(comparator: str | None, odd: float) -> None:
    found = compared([1.0, odd, 3.0], [1.0, odd, 3.0], comparator)
    assert (found.equal, found.nonfinite, found.propagated) == (True, 0, 1)
    assert not compared([1.0, odd, 3.0], [1.0, odd, 3.0], comparator, allow=False).equal


@pytest.mark.parametrize("comparator", KINDS)
@pytest.mark.parametrize(
    ("source", "target"),
    [
        ([1.0, NAN, 3.0], [NAN, 1.0, 3.0]),
        ([1.0, NAN, 3.0], [1.0, 2.0, 3.0]),
        ([1.0, 2.0, 3.0], [1.0, NAN, 3.0]),
        ([1.0, INF, 3.0], [1.0, -INF, 3.0]),
        ([1.0, INF, 3.0], [1.0, NAN, 3.0]),
        ([1.0, INF, 3.0], [1.0, TOP, 3.0]),
        ([NAN, NAN, NAN], [NAN, NAN, INF]),
    ],
)
def test_anything_else_is_no_agreement(comparator: str | None, source: list[float], target: list[float]) -> None:
    found = compared(source, target, comparator)
    assert (found.equal, found.nonfinite, found.propagated) == (False, 1, 0)


@pytest.mark.parametrize("comparator", [one for one in KINDS if one])
def test_the_other_numbers_are_compared_as_ever(comparator: str) -> None:
    assert not compared([1.0, NAN, 3.0, 2.0], [3.0, NAN, 1.0, 2.0], comparator).equal


def test_the_scale_is_that_of_the_other_numbers() -> None:
    assert not compared([1.0, INF, 0.5], [1.01, INF, 0.5], "allclose").equal
    assert not compared([1.0, TOP, 0.5], [1.01, TOP, 0.5], "allclose").equal


def test_what_is_not_a_number_is_no_label() -> None:
    assert not compared([-5.0, NAN, -3.0], [-3.0, NAN, -5.0], "top1").equal
    assert compared([-5.0, NAN, -3.0], [-5.0, NAN, -3.0], "top1").equal


def test_complex_numbers_are_pairs() -> None:
    figures = Accumulator(VerifySettings(nonfinite=True, comparator="exact"))
    one, two = (np.asarray([[complex(NAN, side), 1]], np.complex64) for side in (1, 2))
    figures.add({"y": one}, {"y": two}, np.arange(1))
    assert not figures.result().equal
