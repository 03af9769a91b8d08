"""Which tensors correspond, and in which order of dimensions: a table of declared facts and what follows from them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from safeconvert.compare.contract import make_contract
from safeconvert.compare.exchange import comparable_outputs, target_feeds
from safeconvert.compare.layout import (
    LayoutAmbiguous,
    LayoutMismatch,
    align_dimensions,
    apply_permutation,
    undo_permutation,
)
from safeconvert.compare.quantized import from_real, to_real
from safeconvert.core.signature import Quantization, Signature, TensorSpec
from safeconvert.errors import UnusableInput

LAST, SECOND = (0, 2, 3, 1), (0, 3, 1, 2)


def spec(*shape: int | None, layout: str | None = None, dtype: str = "float32", name: str = "x") -> TensorSpec:
    return TensorSpec(name, shape, dtype, layout)


def test_the_parts_of_complex_numbers_are_named_with_what_helps() -> None:
    with pytest.raises(LayoutMismatch, match="real and imaginary parts as a last dimension") as caught:
        align_dimensions(spec(3, 8, dtype="complex64"), spec(None, 8, 2), None, declared_known=True)
    assert "view_as_real" in caught.value.advice


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        (spec(None, 3, 8, 8), spec(None, 8, 8, 3), LAST),
        (spec(1, 8, 8, 3), spec(None, 3, 8, 8), SECOND),
        (spec(None, 3, 8, 8), spec(None, 3, 8, 8), None),
        (spec(None, 3, None, None), spec(None, None, None, 3), LAST),
        (spec(None, 3, 3, 3, layout="NCHW"), spec(None, 3, 3, 3, layout="NHWC"), LAST),
        (spec(None, 3, 3, 3, layout="NHWC"), spec(None, 3, 3, 3, layout="NHWC"), None),
        (spec(None, 10), spec(4, 10), None),
        (spec(None, 3, 5, 8, 8), spec(None, 5, 8, 8, 3), (0, 2, 3, 4, 1)),
        (spec(None, 7, 5), spec(None, 5, 7), (0, 2, 1)),
        (spec(None, 3, 224, 224), spec(None, 3, 299, 299), LayoutMismatch),
        (spec(None, 3, 8, 9), spec(None, 8, 3, 9), LayoutMismatch),
        (spec(None, 3, 3, 3), spec(None, 3, 3, 3), LayoutAmbiguous),
        (spec(None, 10), spec(None, 10, 1), LayoutMismatch),
    ],
)
def test_the_order_follows_from_declared_shapes_and_layouts(
    source: TensorSpec, target: TensorSpec, expected: object
) -> None:
    if isinstance(expected, type):
        with pytest.raises(expected):
            align_dimensions(source, target)
    else:
        assert align_dimensions(source, target).permutation == expected


def test_the_user_goes_before_the_converter_and_the_converter_before_shapes() -> None:
    cube = spec(None, 3, 3, 3)
    assert align_dimensions(cube, cube, declared=LAST).permutation == LAST
    assert align_dimensions(cube, cube, declared_known=True).permutation is None
    assert align_dimensions(cube, cube, declared=LAST, override="keep").permutation is None
    with pytest.raises(UnusableInput):
        align_dimensions(spec(None, 3, 8, 8), spec(None, 8, 8, 3), override="keep")


def test_what_the_converter_declares_has_to_fit() -> None:
    with pytest.raises(LayoutMismatch, match="converter declares"):
        align_dimensions(spec(None, 3, 8, 8), spec(None, 8, 8, 3), declared_known=True)


@given(st.permutations(range(4)), st.tuples(*[st.integers(1, 4)] * 4))
def test_a_permutation_and_its_undoing(order: list[int], shape: tuple[int, ...]) -> None:
    array = np.arange(np.prod(shape)).reshape(shape)
    moved = apply_permutation(array, tuple(order))
    assert moved.shape == tuple(shape[axis] for axis in order)
    np.testing.assert_array_equal(undo_permutation(moved, tuple(order)), array)


def signature(
    *specs: TensorSpec, outputs: tuple[TensorSpec, ...] = (TensorSpec("y", (None, 2), "float32"),)
) -> Signature:
    return Signature(specs, outputs)


def test_tensors_are_paired_by_name_then_order_then_the_only_shape_that_fits() -> None:
    a, b = spec(None, 3, name="a"), spec(None, 5, name="b")
    swapped = make_contract(signature(a, b), signature(b, a))
    assert [tensor.target.name for tensor in swapped.inputs] == ["a", "b"]
    renamed = make_contract(signature(a, b), signature(spec(None, 5, name="q"), spec(None, 3, name="p")))
    assert [tensor.target.name for tensor in renamed.inputs] == ["p", "q"]
    assert "paired by shape" in renamed.inputs[0].reason
    alike = make_contract(signature(a), signature(spec(None, 3, name="z")))
    assert "paired in order" in alike.inputs[0].reason


def test_a_missing_output_is_named() -> None:
    extra = (TensorSpec("y", (None, 2), "float32"), TensorSpec("more", (None, 2), "float32"))
    with pytest.raises(LayoutMismatch, match="more"):
        make_contract(signature(spec(None, 3)), signature(spec(None, 3), outputs=extra))


def test_integers_never_stand_for_reals() -> None:
    with pytest.raises(LayoutMismatch, match="int64"):
        make_contract(signature(spec(None, 3)), signature(spec(None, 3, dtype="int64")))


def test_a_baked_batch_and_moved_dimensions_are_obligations() -> None:
    contract = make_contract(signature(spec(None, 3, 8, 8)), signature(spec(1, 8, 8, 3)))
    assert any("order [0, 2, 3, 1]" in line for line in contract.obligations)
    assert any("batch 1 only" in line for line in contract.obligations)


def test_feeds_and_outputs_cross_the_contract() -> None:
    outputs = (TensorSpec("y", (None, 2, 4, 4), "float32"),)
    moved = (TensorSpec("z", (None, 4, 4, 2), "float32"),)
    contract = make_contract(
        signature(spec(None, 3, 8, 8), outputs=outputs), signature(spec(None, 8, 8, 3, name="in"), outputs=moved)
    )
    x = np.random.default_rng(0).normal(size=(2, 3, 8, 8)).astype(np.float32)
    assert target_feeds(contract, {"x": x})["in"].shape == (2, 8, 8, 3)
    y = np.random.default_rng(1).normal(size=(2, 2, 4, 4)).astype(np.float32)
    left, right = comparable_outputs(contract, {"y": y}, {"z": y.transpose(LAST)})
    np.testing.assert_array_equal(left["y"], right["y"])
    with pytest.raises(LayoutMismatch, match="gave no output"):
        comparable_outputs(contract, {"y": y}, {"other": y})


def test_an_output_without_batch_is_one_call_of_a_target_that_is_called_for_each_sample() -> None:
    outputs = (TensorSpec("anchors", (3, 2), "float32"),)
    contract = make_contract(signature(spec(None, 4), outputs=outputs), signature(spec(1, 4), outputs=outputs))
    anchors = np.random.default_rng(0).normal(size=(3, 2)).astype(np.float32)
    for calls, shape in ((np.tile(anchors, (5, 1)), (3, 2)), (np.concatenate([anchors, anchors + 1]), (6, 2))):
        left, right = comparable_outputs(contract, {"anchors": anchors}, {"anchors": calls})
        assert (left["anchors"].shape, right["anchors"].shape) == ((3, 2), shape)
    free = make_contract(signature(spec(None, 4), outputs=outputs), signature(spec(None, 4), outputs=outputs))
    _, right = comparable_outputs(free, {"anchors": anchors}, {"anchors": np.tile(anchors, (2, 1))})
    assert right["anchors"].shape == (6, 2)  # a target that takes any batch gave this in one call


def test_names_that_a_format_cannot_write_still_pair() -> None:
    ours = tuple(TensorSpec(name, (), "float32") for name in ("x", "min", "a/b:0"))
    theirs = tuple(TensorSpec(name, (), "float32") for name in ("a_b", "v_min", "x"))
    contract = make_contract(Signature(ours, ours[:1]), Signature(theirs, theirs[2:]))
    assert [(one.source.name, one.target.name) for one in contract.inputs] == [
        ("x", "x"),
        ("min", "v_min"),
        ("a/b:0", "a_b"),
    ]
    alike = tuple(TensorSpec(name, (), "float32") for name in ("v_x", "min", "x"))  # two of which are the same
    assert make_contract(Signature(ours, ours[:1]), Signature(alike, alike[2:])).inputs[0].target.name == "v_x"


def test_an_output_without_dimensions_stays_as_it_is() -> None:
    outputs = (TensorSpec("total", (), "float32"),)
    contract = make_contract(signature(spec(1, 4), outputs=outputs), signature(spec(1, 4), outputs=outputs))
    left, right = comparable_outputs(contract, {"total": np.float32(3)}, {"total": np.array(3, np.float32)})
    assert left["total"] == right["total"] == 3


@given(st.lists(st.integers(-128, 127), min_size=1, max_size=20))
def test_quantised_values_survive_the_way_to_reals_and_back(values: list[int]) -> None:
    quantised = TensorSpec("x", (None,), "int8", quantization=Quantization(0.05, 3))
    stored = np.array(values, np.int8)
    np.testing.assert_array_equal(from_real(to_real(stored, quantised), quantised), stored)


def test_a_quantised_target_is_fed_and_read_in_real_values() -> None:
    quantised = TensorSpec("x", (None, 2), "uint8", quantization=Quantization(0.5, 128))
    contract = make_contract(
        signature(spec(None, 2)), Signature((quantised,), (TensorSpec("y", (None, 2), "float32"),))
    )
    fed = target_feeds(contract, {"x": np.array([[-64.0, 1.0]], np.float32)})["x"]
    assert fed.tolist() == [[0, 130]] and fed.dtype == np.uint8
    assert any("real = 0.5 * (stored - 128)" in line for line in contract.obligations)
    with pytest.raises(UnusableInput, match="NaN"):
        target_feeds(contract, {"x": np.array([[np.nan, 1.0]], np.float32)})
