"""The fewest operators that come about as near as the whole budget, judged by distance and not by luck."""

from __future__ import annotations

import math

import pytest

from safeconvert.repair.means import Means, Plan
from safeconvert.repair.nearest import nearest

RANKED = (5, 3, 1, 0, 2, 4)
EVERY = {Means.FLOAT: RANKED}


def never(_: Plan) -> bool:
    """Nothing is near enough."""
    return False


def without(*harmful: int) -> object:
    """A distance that each of some operators is a part of, less where it is in float; all others are no part of it."""
    return lambda plan: 0.1 + sum(1.0 for one in harmful if one not in plan.indices)


@pytest.mark.parametrize(
    ("harmful", "taken"), [((5,), [5]), ((5, 3), [3, 5]), ((5, 1), [0, 1, 3, 5]), ((4,), [0, 1, 2, 3, 4, 5])]
)
def test_the_fewest_that_come_nearest(harmful: tuple[int, ...], taken: list[int]) -> None:
    found = nearest(RANKED, EVERY, without(*harmful), never)  # type: ignore[arg-type]
    assert found == Plan.of(taken, Means.FLOAT)


def test_a_few_percent_nearer_is_no_reason_for_more() -> None:
    found = nearest(RANKED, EVERY, lambda plan: 1 - 0.2 * (5 in plan.indices) - 0.001 * len(plan.indices), never)
    assert found == Plan.of([5], Means.FLOAT)


def test_nothing_is_done_where_nothing_comes_nearer() -> None:
    assert nearest(RANKED, EVERY, lambda plan: 1.0 + len(plan.indices), never) is None
    assert nearest((), {}, lambda plan: 1.0, never) is None


def test_what_may_not_be_taken_is_passed_over() -> None:
    """The nearest of all has too many bytes, or changes more labels."""
    found = nearest(RANKED, EVERY, lambda plan: math.inf if len(plan.indices) == 4 else 9.0 - len(plan.indices), never)
    assert found == Plan.of(RANKED, Means.FLOAT)


def test_it_ends_where_the_aim_is_reached() -> None:
    asked: list[Plan] = []

    def far(plan: Plan) -> float:
        asked.append(plan)
        return 9.0 - len(plan.indices)

    found = nearest(RANKED, EVERY, far, lambda plan: len(plan.indices) >= 2)
    assert found == Plan.of((5, 3), Means.FLOAT) and max(len(plan.indices) for plan in asked) == 2


def test_ranges_cost_nothing_and_weights_in_eight_bits_stand_for_those_that_are_too_large() -> None:
    allowed = {Means.RANGE: (0, 2), Means.WEIGHTS: (5, 3), Means.FLOAT: (3,)}
    found = nearest(RANKED, allowed, lambda plan: 9.0 - len(plan.indices), never)
    assert found == Plan(((0, Means.RANGE), (2, Means.RANGE), (3, Means.FLOAT), (5, Means.WEIGHTS)))
    worse = nearest(RANKED, allowed, lambda plan: 9.0 + (5.0 if plan.by(Means.RANGE) else 0) - len(plan.indices), never)
    assert worse == Plan(((3, Means.FLOAT), (5, Means.WEIGHTS)))
