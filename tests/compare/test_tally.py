"""Counts, maxima and sums of parts of a set, merged, are those of the whole, whatever the parts."""

from __future__ import annotations

import io
import itertools
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from safeconvert.compare.comparison import Comparison
from safeconvert.compare.discrepancy import Accumulator
from safeconvert.compare.records import Kind, found_of, open_records, record_type, sample_digests, start_records, tally
from safeconvert.compare.settings import Tolerance, VerifySettings
from safeconvert.compare.tally import Moments, Tally, with_tally
from safeconvert.errors import UnusableInput

SETTINGS = VerifySettings(tolerance=Tolerance(1e-4, 1e-5))
COUNTS = (
    "samples",
    "disagreements",
    "ties",
    "nonfinite",
    "propagated",
    "beyond_tolerance",
    "upper_bound",
    "max_abs",
    "relative",
)


def outputs(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Two models' scores: most equal, some apart, some NaN."""
    random = np.random.default_rng(seed)
    ours = random.normal(size=(count, 5)).astype("f4")
    theirs = ours + random.choice([0, 1e-6, 1e-3, 2.0], size=(count, 1), p=[0.6, 0.2, 0.1, 0.1]).astype(
        "f4"
    ) * random.normal(size=(count, 5)).astype("f4")
    theirs[random.random(count) < 0.05] = np.nan
    return ours, theirs


def compared(ours: np.ndarray, theirs: np.ndarray, first: int) -> Accumulator:
    figures = Accumulator(SETTINGS)
    figures.add({"y": ours}, {"y": theirs}, np.arange(first, first + len(ours)))
    return figures


def records(inputs: np.ndarray, figures: Accumulator, kinds: np.ndarray | int = 0) -> np.ndarray:
    found = np.zeros(len(inputs), record_type(1))
    found["digest"], found["kind"], found["found"] = (
        sample_digests({"x": inputs}, len(inputs)),
        kinds,
        found_of(figures),
    )
    return found


def figures_of(parts: list[tuple[int, Accumulator, np.ndarray]], first: Comparison) -> Comparison:
    moments: tuple[Moments, ...] = ()
    for _, figures, rows in parts:
        own = figures.moments(np.arange(len(rows)))
        moments = tuple(a.merge(b) for a, b in zip(moments, own, strict=True)) if moments else own
    return with_tally(first, tally([(start, rows) for start, _, rows in parts], 1), moments, 0.0)


@given(st.integers(2, 300), st.integers(0, 10**6), st.lists(st.integers(1, 299), max_size=5))
@settings(max_examples=40, deadline=None)
def test_parts_merged_are_the_whole_and_what_the_accumulator_says(count: int, seed: int, cuts: list[int]) -> None:
    ours, theirs = outputs(count + 3, seed)
    inputs = np.random.default_rng(seed).normal(size=(count, 2))
    first = compared(ours[count:], ours[count:], 0).result()

    def part(start: int, stop: int) -> tuple[int, Accumulator, np.ndarray]:
        figures = compared(ours[start:stop], theirs[start:stop], 3 + start)
        return 3 + start, figures, records(inputs[start:stop], figures)

    borders = sorted({0, count, *(cut for cut in cuts if cut < count)})
    merged = figures_of([part(*pair) for pair in itertools.pairwise(borders)], first)
    every_one = figures_of([part(n, n + 1) for n in range(count)], first)
    both = Accumulator(SETTINGS)
    both.add({"y": ours[count:]}, {"y": ours[count:]}, np.arange(3))
    both.add({"y": ours[:count]}, {"y": theirs[:count]}, np.arange(3, 3 + count))
    wanted = both.result()
    for found in (merged, every_one):
        assert {name: getattr(found, name) for name in COUNTS if name not in ("max_abs", "relative")} == {
            name: getattr(wanted, name) for name in COUNTS if name not in ("max_abs", "relative")
        }
        assert (
            found.disagreeing == wanted.disagreeing
            and found.outputs[0].disagreements == wanted.outputs[0].disagreements
        )
        assert np.array_equal([found.max_abs, found.relative], [wanted.max_abs, wanted.relative], equal_nan=True)
        assert found.mean_abs == pytest.approx(wanted.mean_abs, rel=1e-12, nan_ok=True) and found.equal == wanted.equal


def test_a_sample_counts_once_whichever_part_it_stands_in_and_not_where_it_is_among_the_first() -> None:
    ours, theirs = outputs(6, 1)
    inputs = np.array([[0], [1], [2], [1], [3], [2]])
    figures = compared(ours, theirs, 0)
    every = records(inputs, figures, np.array([Kind.FIRST, 0, 0, 0, 0, 0]))
    whole = tally([(0, every)], 1)
    assert (whole.samples, whole.repeated) == (3, 2)
    for cut in range(1, 6):
        assert tally([(0, every[:cut]), (cut, every[cut:])], 1) == whole
    again = records(np.array([[0], [0]]), compared(ours[:2], theirs[:2], 6))
    assert tally([(0, every), (6, again)], 1).samples == 3


def test_what_is_left_out_or_rounded_counts_so() -> None:
    ours = np.zeros((3, 5), "f4")
    theirs = ours + np.array([[0], [1], [1]], "f4")
    kinds = np.array([0, Kind.LEFT_OUT, Kind.ROUNDED])
    found = tally([(0, records(np.arange(3)[:, None], compared(ours, theirs, 0), kinds))], 1)
    assert (found.samples, found.left_out, found.rounded, found.failing, found.disagreements) == (2, 1, 1, 0, 0)
    assert found.beyond_tolerance == 1


def test_many_records_in_many_blocks(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    found = np.zeros(100_000, record_type(2))
    numbers = random.integers(0, 60_000, 100_000)
    found["digest"][:, 0], found["digest"][:, 1], found["found"] = numbers, numbers, 31
    counted = tally([(0, found[:70_000]), (70_000, found[70_000:])], 2, tmp_path)
    assert counted.samples == len(np.unique(numbers)) and counted.repeated == 100_000 - counted.samples
    assert not list(tmp_path.iterdir())


def test_records_are_read_as_they_were_written_and_nothing_else_is(tmp_path: Path) -> None:
    ours, theirs = outputs(4, 0)
    rows = records(np.arange(4)[:, None], compared(ours, theirs, 0))
    file = io.BytesIO()
    start_records(file, 1, 4)
    (tmp_path / "r.npy").write_bytes(file.getvalue() + rows.tobytes())
    assert np.array_equal(open_records(tmp_path / "r.npy", 1), rows)
    for wrong in (np.zeros(3), np.array([{}], dtype=object), np.zeros((2, 2), record_type(1))):
        np.save(tmp_path / "w.npy", wrong, allow_pickle=True)
        with pytest.raises(UnusableInput, match="holds no records"):
            open_records(tmp_path / "w.npy", 1)
    (tmp_path / "w.npy").write_bytes(file.getvalue())
    with pytest.raises(UnusableInput, match="holds no records"):
        open_records(tmp_path / "w.npy", 1)


@given(st.lists(st.floats(0, 1e300), min_size=1, max_size=30), st.integers(0, 29))
def test_a_sum_is_exact_and_survives_json(values: list[float], cut: int) -> None:
    made = [Moments("y", "allclose", 1, 0, Fraction(value), value, value) for value in values]
    total = made[0]
    for one in made[1:]:
        total = total.merge(one)
    again = made[-1]
    for one in reversed(made[:-1]):
        again = one.merge(again)
    assert total == again == Moments.from_json(total.to_json())


@pytest.mark.parametrize(
    "changed",
    [{"total": "1e9999999/1"}, {"total": "1/0"}, {"count": -1}, {"count": True}, {"max_abs": "-1"}, {"total": None}],
)
def test_figures_of_another_kind_are_refused(changed: dict[str, object]) -> None:
    entry = Moments("y", "allclose", 1, 0, Fraction(1), 1.0, 1.0).to_json()
    with pytest.raises(UnusableInput, match="cannot be read"):
        Moments.from_json({**entry, **changed})


@given(st.integers(1, 40), st.integers(0, 1000))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_figures_survive_json(count: int, seed: int) -> None:
    found = compared(*outputs(count, seed), 0).result()
    assert repr(Comparison.from_json(found.to_json())) == repr(found)
    with pytest.raises(UnusableInput):
        Comparison.from_json({**found.to_json(), "samples": "many"})


def test_tallies_of_nothing() -> None:
    assert tally([], 2) == Tally(by_output=(0, 0)) and replace(Tally(), samples=1).merge(Tally()).samples == 1
