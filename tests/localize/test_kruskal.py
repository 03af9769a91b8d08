"""The vectorised Kruskal–Wallis test against scipy's, element by element."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from safeconvert.localize.kruskal import kruskal_p


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.tuples(st.integers(3, 20), st.integers(3, 20)), levels=st.sampled_from([2, 3, 10, 1000]),
    seed=st.integers(0, 999),
)  # fmt: skip
def test_every_element_is_scipys_with_ties_and_without(sizes: tuple[int, int], levels: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    first, second = (random.integers(0, levels, (size, 9)).astype(np.float32) for size in sizes)
    found = kruskal_p(first - 3, second - 3)
    for element in range(9):
        both = np.concatenate([first[:, element], second[:, element]])
        wanted = (
            1.0
            if np.all(both == both[0])
            else stats.kruskal(*(group[:, element].astype(float) for group in (first, second))).pvalue
        )
        assert found[element] == pytest.approx(wanted, rel=1e-6, abs=1e-12)


def test_degenerate_groups_flag_nothing() -> None:
    x = np.arange(8, dtype=np.float32).reshape(4, 2)
    assert kruskal_p(np.ones((5, 3)), np.ones((5, 3))).tolist() == [1, 1, 1]
    assert kruskal_p(x[:2], x).tolist() == [1, 1]
    broken = x.copy()
    broken[0, 0] = np.nan
    assert kruskal_p(broken, x + 100)[0] == 1 and kruskal_p(broken, x + 100)[1] < 0.05
