"""A changed sample is of the same kind as the one it was made of."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from safeconvert.graph.mutate import Range, mutated


@given(st.integers(0, 2**32 - 1))
def test_a_made_up_zero_has_no_sign(seed: int) -> None:
    random = np.random.default_rng(seed)
    one, two = random.normal(size=(2, 6)).astype(np.float32)
    one[:3] = 0
    made = one
    for _ in range(4):
        made = mutated(random, made, two, Range())
    assert made.dtype == np.float32 and made.shape == one.shape
    assert not np.signbit(made[made == 0]).any()
