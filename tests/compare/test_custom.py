"""Comparators of a user's own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from safeconvert.compare.discrepancy import Accumulator
from safeconvert.compare.settings import Tolerance, VerifySettings
from safeconvert.errors import UnusableInput


def compare(reference: str, folder: Path, tolerance: Tolerance = Tolerance()) -> bool:  # noqa: B008
    figures = Accumulator(VerifySettings(comparator=reference, tolerance=tolerance), str(folder))
    figures.add({"y": np.ones((3, 2))}, {"y": np.full((3, 2), 1.5)}, np.arange(3))
    return figures.result().equal


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "own_comparators.py").write_text(
        "import numpy as np\n"
        "def same(a, b): return np.ones(len(a), bool)\n"
        "def distance(a, b): return np.abs(a - b).max(axis=1)\n"
        "def short(a, b): return True\n"
        "def broken(a, b): return a['x']\n"
        "value = 3\n"
    )
    return tmp_path


def test_bool_says_so_and_float_is_held_against_atol(folder: Path) -> None:
    assert compare("own_comparators:same", folder)
    assert not compare("own_comparators:distance", folder)
    assert compare("own_comparators:distance", folder, Tolerance(0, 0.5))


@pytest.mark.parametrize(
    ("reference", "says"),
    [
        ("own_comparators:short", "return bool or float"),
        ("own_comparators:broken", "failed on output y"),
        ("own_comparators:gone", "gone"),
        ("own_comparators:value", "not a function"),
        ("no_such:f", "cannot import"),
        (":f", "not of the form"),
    ],
)
def test_what_is_no_comparator_is_said(reference: str, says: str, folder: Path) -> None:
    with pytest.raises(UnusableInput) as raised:
        compare(reference, folder)
    assert says in raised.value.message + raised.value.advice
