"""Generated samples: of the signature's shape and type, in range, and never a surprise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safeconvert.core.signature import Signature, TensorSpec
from safeconvert.errors import UnusableInput
from safeconvert.inputs.generate import generate

INTEGERS = ["int8", "uint8", "int16", "int32", "int64", "uint64"]
TYPES = ["float16", "float32", "float64", "bool", *INTEGERS]


def takes(*specs: TensorSpec) -> Signature:
    return Signature(specs, ())


@settings(max_examples=60, deadline=None)
@given(
    shapes=st.lists(st.tuples(st.none() | st.just(1), st.integers(1, 5), st.integers(1, 6)), min_size=1, max_size=3),
    dtypes=st.lists(st.sampled_from(TYPES), min_size=3, max_size=3),
    seed=st.integers(0, 2**40),
)
def test_samples_have_the_shape_and_type_that_the_model_takes(
    shapes: list[tuple[int | None, ...]], dtypes: list[str], seed: int
) -> None:
    specs = [TensorSpec(f"x{n}", shape, dtype) for n, (shape, dtype) in enumerate(zip(shapes, dtypes, strict=False))]
    made = generate(takes(*specs), 9, seed, {})
    chunk = made.chunk(2, 9)
    assert tuple(chunk) == made.names == tuple(spec.name for spec in specs)
    for spec in specs:
        assert chunk[spec.name].shape == (7, *spec.shape[1:]) and chunk[spec.name].dtype == np.dtype(spec.dtype)
        assert np.isfinite(chunk[spec.name].astype("f8")).all()


@settings(max_examples=60, deadline=None)
@given(dtype=st.sampled_from(INTEGERS), data=st.data())
def test_a_range_is_kept_or_refused_and_never_wrapped(dtype: str, data: st.DataObject) -> None:
    limits = np.iinfo(dtype)
    edges = [int(edge) + step for edge in (0, limits.min, limits.max) for step in (-1, 0, 1, 2)]
    low, high = sorted(
        data.draw(st.tuples(st.sampled_from(edges), st.sampled_from(edges)).filter(lambda p: p[0] != p[1]))
    )
    fits = low >= limits.min and high - 1 <= min(int(limits.max), 2**63 - 1)
    try:
        made = generate(takes(TensorSpec("ids", (None, 50), dtype)), 2, 0, {"ids": (low, high)}).chunk(0, 2)["ids"]
    except UnusableInput as error:
        assert not fits and "ids" in error.message and dtype in error.message
        return
    assert fits and low <= int(made.min()) and int(made.max()) < high


def test_without_a_range_bytes_take_all_values_and_indices_the_first_two() -> None:
    specs = (TensorSpec("pixels", (None, 5000), "uint8"), TensorSpec("ids", (None, 50), "int64"))
    made = generate(takes(*specs), 2, 0, {}).chunk(0, 2)
    assert len(np.unique(made["pixels"])) == 256 and set(np.unique(made["ids"])) == {0, 1}


def test_two_inputs_of_one_kind_get_other_values() -> None:
    made = generate(takes(*(TensorSpec(name, (None, 30), "float32") for name in "ab")), 3, 0, {}).chunk(0, 3)
    assert not np.array_equal(made["a"], made["b"])


@pytest.mark.parametrize(
    ("spec", "ranges", "says"),
    [
        (TensorSpec("x", (None, 3, None, 8), "float32"), {}, "--input-shape x=1,3,16,8"),
        (TensorSpec("x", (None, 3), "bfloat16"), {}, "bfloat16"),
        (TensorSpec("x", (None, 3), "string"), {}, "string"),
        (TensorSpec("x", (None, 3), "object"), {}, "object"),
        (TensorSpec("x", (None, 3), "complex64"), {}, "complex64"),
        (TensorSpec("x", (None, 3), "float32"), {"x": (0, 2)}, "no such integer input"),
        (TensorSpec("x", (None, 3), "int64"), {"y": (0, 2)}, "integer inputs: x"),
    ],
    ids=str,
)
def test_what_cannot_be_made_up_is_said(spec: TensorSpec, ranges: dict[str, tuple[int, int]], says: str) -> None:
    with pytest.raises(UnusableInput) as raised:
        generate(takes(spec), 3, 0, ranges)
    assert says in raised.value.message + raised.value.advice
