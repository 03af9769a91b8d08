"""The fewest layers of a ranking that are enough, whatever enough is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from safeconvert.repair.fewest import fewest, widened

RANKED = list(range(12))


@given(st.sets(st.sampled_from(RANKED), min_size=1))
def test_what_is_needed_is_found_and_nothing_beside_it(needed: set[int]) -> None:
    assert set(fewest(RANKED, lambda chosen: needed <= set(chosen), most_trials=12)) == needed


@given(st.sets(st.sampled_from(RANKED), min_size=1), st.integers(0, 12))
def test_with_fewer_trials_it_is_enough_all_the_same(needed: set[int], trials: int) -> None:
    found = fewest(RANKED, lambda chosen: needed <= set(chosen), trials)
    assert needed <= set(found) and found == sorted(found)


def test_few_are_tried_where_the_first_are_enough() -> None:
    tried: list[list[int]] = []

    def enough(chosen: list[int]) -> bool:
        tried.append(chosen)
        return True

    assert fewest(RANKED, enough, 12) == [0] and len(tried) <= 4


def test_a_quarter_more_is_added_in_order_as_far_as_there_are_any() -> None:
    assert widened([0], RANKED) == [0, 1]
    assert widened([0, 1, 2, 3, 4, 5, 6, 7], RANKED) == list(range(10))
    assert widened([0, 5], RANKED) == [0, 5, 1]
    assert widened(RANKED, RANKED) == RANKED
