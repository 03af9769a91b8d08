"""What rounding is depends on the type that a model computes in."""

from __future__ import annotations

import pytest

from safeconvert.compare.half_precision import coarseness
from safeconvert.core.signature import TensorSpec


@pytest.mark.parametrize(
    ("dtype", "computed", "times"),
    [("float32", "", 1), ("float32", "float16", 2**13), ("float16", "", 2**13), ("float32", "bfloat16", 2**16)],
)
def test_sixteen_bits_are_as_much_coarser_as_their_unit_is(dtype: str, computed: str, times: float) -> None:
    plain = TensorSpec("plain", (None, 3), "float32")
    assert coarseness([plain, TensorSpec("y", (None, 3), dtype, computed=computed)]) == times


def test_without_outputs_it_is_that_of_float32() -> None:
    assert coarseness([]) == 1
