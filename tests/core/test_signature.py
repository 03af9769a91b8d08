"""Signatures through JSON, as they travel between processes."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from safeconvert.core.signature import Quantization, Signature, TensorSpec

SPECS = st.builds(
    TensorSpec,
    name=st.text(max_size=8),
    shape=st.lists(st.none() | st.integers(0, 10**6), max_size=5).map(tuple),
    dtype=st.sampled_from(["float32", "int64", "uint8", "bool", "bfloat16"]),
    layout=st.sampled_from([None, "NCHW", "NHWC"]),
    quantization=st.none() | st.builds(Quantization, scale=st.floats(1e-9, 1e9), zero_point=st.integers(-128, 255)),
)
SIGNATURES = st.builds(
    Signature, inputs=st.lists(SPECS, max_size=3).map(tuple), outputs=st.lists(SPECS, max_size=3).map(tuple)
)


@given(SIGNATURES)
def test_json_and_back_is_the_same(signature: Signature) -> None:
    back = Signature.from_json(json.loads(json.dumps(signature.to_json())))
    assert back == signature and hash(back) == hash(signature)


def test_the_batch_is_the_first_dimension() -> None:
    assert [TensorSpec("x", shape, "float32").batch for shape in ((4, 3), (None, 3), ())] == [4, None, None]


@pytest.mark.parametrize(("dtype", "known"), [("float16", True), ("int8", True), ("bool", True), ("uint64", True),
    ("bfloat16", False), ("string", False), ("str", False), ("object", False), ("complex64", False), ("", False)])  # fmt: skip
def test_types_that_are_numbers_of_numpy(dtype: str, known: bool) -> None:
    assert TensorSpec("x", (None,), dtype).numbers == (np.dtype(dtype) if known else None)
