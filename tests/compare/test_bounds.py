"""The Clopper–Pearson bound against scipy and against its own meaning."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from safeconvert.compare.bounds import clopper_pearson_upper


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_it_is_the_rate_at_which_so_few_are_seen_with_five_percent(counts: tuple[int, int]) -> None:
    disagreements, samples = counts
    bound = clopper_pearson_upper(disagreements, samples)
    if disagreements == samples:
        assert bound == 1.0
    else:
        assert stats.binom.cdf(disagreements, samples, bound) == pytest.approx(0.05, rel=1e-6)


@given(st.integers(0, 50), st.integers(51, 500))
def test_more_samples_lower_it_and_more_disagreements_raise_it(disagreements: int, samples: int) -> None:
    bound = clopper_pearson_upper(disagreements, samples)
    assert clopper_pearson_upper(disagreements, samples + 1) < bound < clopper_pearson_upper(disagreements + 1, samples)


def test_nothing_tried_says_nothing() -> None:
    assert clopper_pearson_upper(0, 0) == 1.0


@pytest.mark.parametrize("arguments", [(2, 1), (-1, 3), (0, 3, 1.0), (0, 3, 0.0)])
def test_what_cannot_be_is_an_error(arguments: tuple[float, ...]) -> None:
    with pytest.raises(ValueError):
        clopper_pearson_upper(*arguments)
