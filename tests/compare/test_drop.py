"""The bound on a metric's fall: against its own meaning by enumeration, and against scipy's tests."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from safeconvert.compare.drop import bernstein_upper, mcnemar, needed, paired_drop, pairs_upper, shown_by

CONFIDENCE = 0.95


@pytest.mark.parametrize("rates", [(0.0, 0.0), (0.1, 0.0), (0.3, 0.1), (0.2, 0.2), (0.05, 0.4)])
@pytest.mark.parametrize("count", [5, 25])
def test_it_is_too_small_with_five_percent_at_most(rates: tuple[float, float], count: int) -> None:
    """Summed over every outcome of a trinomial, whatever the true rates are."""
    lost, won = rates
    outcomes = [(a, b) for a in range(count + 1) for b in range(count + 1 - a)]
    chance = {
        (a, b): stats.multinomial.pmf([a, b, count - a - b], count, [lost, won, 1 - lost - won]) for a, b in outcomes
    }
    missed = sum(p for (a, b), p in chance.items() if p and pairs_upper(a, b, count, CONFIDENCE) < lost - won)
    assert missed <= 1 - CONFIDENCE


def test_what_is_won_lowers_it_and_what_is_lost_raises_it() -> None:
    assert pairs_upper(3, 4, 200, CONFIDENCE) < pairs_upper(3, 0, 200, CONFIDENCE) < pairs_upper(4, 0, 200, CONFIDENCE)
    assert pairs_upper(0, 0, 0, CONFIDENCE) == 1.0
    with pytest.raises(ValueError):
        pairs_upper(3, 3, 5, CONFIDENCE)


@pytest.mark.parametrize("allowed", [0.005, 0.01, 0.1])
def test_so_many_are_needed_where_none_is_lost(allowed: float) -> None:
    count = needed(allowed, CONFIDENCE)
    assert pairs_upper(0, 0, count, CONFIDENCE) <= allowed < pairs_upper(0, 0, count - 1, CONFIDENCE)
    assert shown_by(count, CONFIDENCE) <= allowed < shown_by(count - 1, CONFIDENCE)


def test_no_input_shows_nothing() -> None:
    assert shown_by(0, CONFIDENCE) == 1


@pytest.mark.parametrize(("lost", "won"), [(0, 0), (5, 1), (1, 5), (4, 4), (30, 12)])
def test_mcnemar_is_a_binomial_test_of_what_differs(lost: int, won: int) -> None:
    expected = stats.binomtest(lost, lost + won).pvalue if lost + won else 1.0
    assert mcnemar(lost, won) == pytest.approx(expected)


def test_scores_of_zero_and_one_are_counted_in_pairs() -> None:
    source = np.array([1.0] * 90 + [0.0] * 10)
    target = np.array([1.0] * 88 + [0.0] * 11 + [1.0])
    drop = paired_drop("accuracy", source, target, 0.1, CONFIDENCE)
    assert (drop.lost, drop.won, drop.whole) == (2, 1, True)
    assert drop.fall == pytest.approx(0.01) and drop.upper == pairs_upper(2, 1, 100, CONFIDENCE)
    assert drop.holds and not paired_drop("accuracy", source, target, 0.02, CONFIDENCE).holds


def test_other_scores_have_a_bound_for_any_distribution() -> None:
    """The mean of differences from -1 to 1, drawn again and again, is below it but for one in twenty."""
    random = np.random.default_rng(0)
    missed = 0
    for _ in range(400):
        apart = random.beta(0.3, 2.0, 300)
        missed += bernstein_upper(apart, CONFIDENCE) < 0.3 / 2.3
    assert missed <= 0.05 * 400
    drop = paired_drop("own", np.full(3000, 0.5), np.full(3000, 0.49), 0.05, CONFIDENCE)
    assert not drop.whole and 0.01 < drop.upper <= 0.05 and drop.holds
    assert bernstein_upper(np.array([0.0]), CONFIDENCE) == 1.0


def test_nothing_scored_shows_nothing() -> None:
    drop = paired_drop("accuracy", np.empty(0), np.empty(0), 0.5, CONFIDENCE)
    assert not drop.holds and math.isnan(drop.source)
