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


@given(st.integers(0, 2**32 - 1), st.sampled_from([2**62, 2**63, 2**64]))
def test_numbers_of_64_bits_without_a_sign_are_changed_as_others_are(seed: int, high: int) -> None:
    """A search over given ones past 2^63 ended in an error of its own."""
    random = np.random.default_rng(seed)
    low = high - 1000
    one, two = (random.integers(low, high - 1, size=5, dtype=np.uint64, endpoint=True) for _ in range(2))
    made = mutated(random, one, two, Range(1.0, low, high + 1))
    assert made.dtype == np.uint64 and made.min() >= low
