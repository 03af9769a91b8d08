"""Samples at given numbers: real inputs and integers that are numbers hold them, indices only as far as they go."""

from __future__ import annotations

import numpy as np

from safeconvert.graph.mutate import Range
from safeconvert.verification.turning import at_turns

RANGES = {"x": Range(), "ids": Range(1.0, 0, 30), "flags": Range(1.0, 0, 2)}


def test_a_number_is_held_in_all_places_and_in_some_and_passed_on_both_sides() -> None:
    base = [{"x": np.arange(40, dtype=np.float32)}]
    ((*made,),) = at_turns([50.0], base, RANGES, set(), 100)
    values = [sample["x"] for sample in made]
    assert {float(array.max()) for array in values} == {45.0, 50.0, 55.0}
    assert sum(bool((array == array[0]).all()) for array in values) == 3
    assert all(array.dtype == np.float32 for array in values)


def test_integers_lie_around_it_indices_within_their_range() -> None:
    base = [{"ids": np.zeros(400, np.int64)}]
    (numbers,) = at_turns([1e6], base, RANGES, {"ids"}, 100)
    assert {*np.unique(numbers[0]["ids"])} == {999_999, 1_000_000, 1_000_001}
    assert at_turns([1e6], base, RANGES, set(), 100) == []
    (indices,) = at_turns([29.0], base, RANGES, set(), 100)
    assert {*np.unique(indices[0]["ids"])} == {28, 29}


def test_bytes_and_truths_stay_and_where_nothing_changes_there_is_no_sample() -> None:
    base = [{"flags": np.ones(4, bool), "b": np.zeros(4, np.uint8)}]
    assert at_turns([50.0], base, {**RANGES, "b": Range()}, set(), 100) == []


def test_there_are_at_most_as_many_as_asked_for() -> None:
    base = [{"x": np.float32([1, 2])}]
    made = at_turns([5.0, 6.0, 7.0], base, RANGES, set(), 8)
    assert [len(group) for group in made] == [6, 2]
