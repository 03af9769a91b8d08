"""The least that is enough: cheapest means first, fewest operators, nothing that can be left out."""

from __future__ import annotations

import pytest

from safeconvert.repair.least import least
from safeconvert.repair.means import Means, Plan

EVERY = tuple(range(6))
ALLOWED = dict.fromkeys(Means, EVERY)


def free(_: Plan) -> int:
    """Every plan costs the same."""
    return 0


def needing(*needs: tuple[int, Means]) -> object:
    """Enough is a plan that does at least this much about each of some operators."""
    order = list(Means)
    asked: list[Plan] = []

    def enough(plan: Plan) -> bool:
        asked.append(plan)
        done = dict(plan.entries)
        return all(index in done and order.index(done[index]) >= order.index(means) for index, means in needs)

    return enough


def test_each_operator_gets_the_cheapest_means_that_is_enough() -> None:
    found = least(EVERY, ALLOWED, needing((4, Means.SIXTEEN), (1, Means.RANGE)), free, 99)  # type: ignore[arg-type]
    assert found is not None and found.minimal
    assert dict(found.plan.entries) == {1: Means.RANGE, 4: Means.SIXTEEN}


@pytest.mark.parametrize("means", list(Means))
def test_one_means_alone(means: Means) -> None:
    found = least(EVERY, ALLOWED, needing((0, means)), free, 99)  # type: ignore[arg-type]
    assert found is not None and found.plan == Plan.of([0], means)


def test_what_costs_more_bytes_is_not_taken_for_cheaper() -> None:
    """Whatever writes 16 bits may have to write much else beside them."""

    def cost(plan: Plan) -> int:
        return 10 if plan.by(Means.SIXTEEN) else 2 * len(plan.entries)

    both = needing((0, Means.FLOAT), (1, Means.SIXTEEN))
    found = least(EVERY, ALLOWED, both, cost, 99)  # type: ignore[arg-type]
    assert found is not None and dict(found.plan.entries) == {0: Means.FLOAT, 1: Means.HALF}


def test_nothing_is_enough() -> None:
    assert least(EVERY, {Means.RANGE: EVERY, Means.FLOAT: (0, 1)}, needing((5, Means.FLOAT)), free, 99) is None  # type: ignore[arg-type]


def test_operators_that_help_only_one_another_are_thinned_to_a_minimum() -> None:
    """Two pairs are each enough: one of them is left, and neither of its operators can be left out."""

    def enough(plan: Plan) -> bool:
        return {0, 3} <= set(plan.indices) or {1, 2} <= set(plan.indices)

    found = least(EVERY, {Means.FLOAT: EVERY}, enough, free, 99)
    assert found is not None and found.minimal and set(found.plan.indices) in ({0, 3}, {1, 2})
    assert not any(enough(found.plan.without(index)) for index in found.plan.indices)


def test_without_trials_left_nothing_is_claimed() -> None:
    found = least(EVERY, {Means.FLOAT: EVERY}, needing((0, Means.FLOAT), (5, Means.FLOAT)), free, 0)  # type: ignore[arg-type]
    assert found is not None and not found.minimal


def test_a_plan_in_words_names_few() -> None:
    names = [f"op{index}" for index in EVERY]
    text = Plan.of(EVERY, Means.SIXTEEN).described(names)
    assert text == "16-bit activations: op0, op1, op2, op3 and 2 more"
    assert Plan().described(names) == ""
