"""A comparator is a function and its name: one is added here, and decides like those that are there."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
import pytest

from safeconvert.compare import comparators, custom, settings
from safeconvert.compare.comparators import COMPARATORS, Agreement
from safeconvert.compare.discrepancy import Accumulator
from safeconvert.compare.output_pair import Pair
from safeconvert.compare.settings import KINDS, Tolerance, VerifySettings
from safeconvert.errors import UnusableInput


def signs(pair: Pair, tolerance: Tolerance, given: VerifySettings) -> Agreement:
    """A sample agrees where all its numbers have the same signs."""
    same = (np.sign(pair.source_values) == np.sign(pair.target_values)).all(axis=1)
    return Agreement(same, np.zeros_like(same), np.ones_like(same))


def test_every_name_has_its_function() -> None:
    assert set(KINDS) == set(COMPARATORS)


def test_one_more_function_and_its_name_are_a_comparator(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnusableInput, match="unknown comparator 'signs'"):
        VerifySettings(comparator="signs")
    table = MappingProxyType({**COMPARATORS, "signs": signs})
    monkeypatch.setattr(settings, "KINDS", (*KINDS, "signs"))
    monkeypatch.setattr(comparators, "COMPARATORS", table)
    monkeypatch.setattr(custom, "COMPARATORS", table)
    ours = np.array([[1.0, -2.0], [3.0, 4.0], [np.nan, 1.0]])
    figures = Accumulator(VerifySettings(comparator="signs"))
    figures.add({"y": ours}, {"y": ours * [[5.0, 0.1], [1.0, -1.0], [1.0, 1.0]]}, np.arange(3))
    assert figures.result().disagreements == 2  # another sign, and NaN
