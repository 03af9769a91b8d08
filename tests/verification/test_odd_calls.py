"""Calls of one sign, and rows that count from the end of a table: integers keep to what they may be."""

from __future__ import annotations

import numpy as np

from safeconvert.graph.mutate import Range
from safeconvert.graph.ranges import IntegerRange
from safeconvert.verification.odd_calls import from_the_end, one_sided_calls


def test_all_samples_of_a_call_are_zero_or_of_one_sign() -> None:
    base = [{"x": np.float32([-1, 2]), "ids": np.int64([4, 5])}] * 9
    ranges = {"x": Range(), "ids": Range(1.0, 3, 9)}
    zero, above, below = one_sided_calls(base, ranges)
    assert len(zero) == len(above) == 4
    assert all(not one["x"].any() and one["ids"].tolist() == [3, 3] for one in zero)
    assert all(one["x"].tolist() == [1, 2] and one["ids"].tolist() == [4, 5] for one in above)
    assert all(one["x"].tolist() == [-1, -2] for one in below)
    assert list(one_sided_calls([{"b": np.array([True])}], {"b": Range()})) == []


def test_rows_count_from_the_end_where_the_numbers_are_those_of_all_rows() -> None:
    like = {"ids": np.int64([0, 3, 9]), "kind": np.int64([1, 1, 0]), "small": np.uint8([1, 2, 3])}
    ranges = {"ids": IntegerRange(0, 10, rows=10), "kind": IntegerRange(0, 2), "small": IntegerRange(0, 5, rows=5)}
    every, some = from_the_end(like, ranges)
    assert every["ids"].tolist() == [-10, -7, -1] and some["ids"].tolist() == [-10, 3, -1]
    assert every["kind"] is like["kind"] and every["ids"].dtype == np.int64
