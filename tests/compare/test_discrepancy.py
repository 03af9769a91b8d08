"""Figures of two models: invariants, ties, NaN, chunks."""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from safeconvert.compare.comparison import Comparison
from safeconvert.compare.discrepancy import Accumulator
from safeconvert.compare.layout import LayoutMismatch
from safeconvert.compare.settings import Tolerance, VerifySettings
from safeconvert.errors import UnusableInput

SCORES = hnp.arrays(np.float32, st.tuples(st.integers(1, 12), st.integers(2, 6)), elements=st.floats(-50, 50, width=32))


def compare(ours: np.ndarray, theirs: np.ndarray, **asked: object) -> Comparison:
    figures = Accumulator(VerifySettings(**asked))
    figures.add({"y": ours}, {"y": theirs}, np.arange(len(ours)))
    return figures.result()


@settings(deadline=None)  # a first call imports
@given(SCORES, st.sampled_from([None, "label", "top1", "allclose", "cosine", "exact"]))
def test_a_model_equals_itself(scores: np.ndarray, comparator: str | None) -> None:
    result = compare(scores, scores.copy(), comparator=comparator)
    assert result.equal and result.disagreements == 0 and result.max_abs == 0.0


@given(
    SCORES, st.sampled_from([None, "label", "top1", "allclose", "cosine", "exact"]), st.sampled_from([np.nan, np.inf])
)
def test_nan_and_inf_never_agree_not_even_with_themselves(
    scores: np.ndarray, comparator: str | None, bad: float
) -> None:
    scores[0, 0] = bad
    result = compare(scores, scores.copy(), comparator=comparator)
    assert not result.equal and result.nonfinite == 1 and result.disagreements == 1


@settings(deadline=None)
@given(SCORES, st.integers(1, 5), st.floats(0, 1))
def test_chunks_and_their_order_change_nothing(scores: np.ndarray, size: int, shift: float) -> None:
    other = scores + np.float32(shift) * np.arange(scores.shape[1], dtype=np.float32)
    whole = compare(scores, other)
    figures = Accumulator(VerifySettings())
    for start in reversed(range(0, len(scores), size)):
        rows = slice(start, start + size)
        figures.add({"y": scores[rows]}, {"y": other[rows]}, np.arange(len(scores))[rows])
    assert figures.result() == whole


def test_one_changed_label_is_one_disagreement() -> None:
    ours = np.eye(4, dtype=np.float32)
    theirs = ours.copy()
    theirs[2] = [1, 0, 0, 0]
    result = compare(ours, theirs)
    assert (result.disagreements, result.disagreeing, result.equal) == (1, (2,), False)
    assert result.discrepancy == 0.25 and result.max_abs == 1.0


def test_equal_labels_with_distant_values_are_not_equal() -> None:
    ours = np.array([[0.0, 1.0]], np.float32)
    result = compare(ours, ours * 2)
    assert result.disagreements == 0 and result.beyond_tolerance == 1 and not result.equal
    assert compare(ours, ours * 2, comparator="top1").equal


def test_a_tie_of_the_source_agrees_and_is_counted() -> None:
    ours = np.array([[1.0, 1.0 - 1e-6, 0.0]], np.float32)
    theirs = np.array([[1.0 - 1e-6, 1.0, 0.0]], np.float32)
    result = compare(ours, theirs)
    assert result.equal and result.ties == 1
    clear = np.array([[1.0, 0.9, 0.0]], np.float32)
    assert compare(clear, clear[:, [1, 0, 2]]).disagreements == 1


def test_top_k_is_a_set_and_needs_more_classes_than_k() -> None:
    ours = np.array([[4.0, 3.0, 2.0, 1.0]])
    assert compare(ours, ours[:, [1, 0, 2, 3]], comparator="topk", top_k=2).equal
    assert not compare(ours, ours[:, [2, 1, 0, 3]], comparator="topk", top_k=2).equal
    with pytest.raises(UnusableInput, match="always the same"):
        compare(ours, ours, comparator="topk", top_k=4)


def test_cosine_does_not_see_scale_and_sees_direction() -> None:
    ours = np.array([[1.0, 2.0, 3.0]])
    assert compare(ours, ours * 1e30, comparator="cosine").equal
    assert not compare(ours, ours * [1, 1, 1.01], comparator="cosine").equal
    assert not compare(ours, ours * 0, comparator="cosine").equal


def test_integers_are_compared_exactly_unless_they_have_a_tolerance() -> None:
    ours, theirs = np.array([[100000, 2]]), np.array([[100001, 2]])
    assert not compare(ours, theirs).equal
    assert not compare(ours, theirs, comparator="exact").equal
    assert compare(ours, theirs, comparator="allclose", tolerances={"y": Tolerance(1e-3, 0)}).equal


def test_the_tolerance_belongs_to_the_scale_of_the_sample() -> None:
    ours = np.array([[1000.0, 0.0], [1.0, 0.0]])
    theirs = ours + np.array([[0.0, 0.05], [0.0, 0.05]])
    result = compare(ours, theirs)
    assert result.beyond_tolerance == 1
    assert compare(ours[:1], theirs[:1]).equal


def test_half_outputs_are_never_asked_for_more_than_their_type_holds() -> None:
    ours = np.array([[1000.0, 3.0]])
    for dtype, unit in ((np.float16, 2.0**-10), (ml_dtypes.bfloat16, 2.0**-7)):
        stored = ours.astype(dtype)
        near, far = (ours * (1 + units * unit) for units in (0.5, 2))
        assert compare(stored, near.astype(dtype), comparator="allclose").equal
        assert not compare(stored, far.astype(dtype), comparator="allclose").equal
        assert not compare(stored, near.astype(dtype), comparator="exact").equal
    assert not compare(ours, ours * (1 + 2.0**-10), comparator="allclose").equal


@pytest.mark.parametrize("fill", [-1e9, -1e4, 3e38])
def test_beside_a_mask_labels_and_values_still_count(fill: float) -> None:
    ours = np.array([[1.0, 3.0, fill, 2.0, fill]])
    assert compare(ours, ours).equal
    assert not compare(ours, ours * [[4, 1, 1, 1, 1]]).equal, "another label is no tie"
    assert not compare(ours, ours * [[1.1, 1, 1, 1, 1]]).equal
    assert not compare(ours, ours * [[1.1, 1, 1, 1, 1]], comparator="allclose").equal
    assert compare(ours, ours * [[1, 1, 1.00001, 1, 1]], comparator="allclose").equal
    assert not compare(ours, ours * [[1, 1, 1.001, 1, 1]], comparator="allclose").equal
    assert compare(ours, ours * [[1, 1, 1.00001, 1, 1]]).relative < 1e-4


def test_one_value_far_above_the_others_is_a_fill_only_beyond_float32() -> None:
    assert not compare(np.array([[1.0, 1e8]]), np.array([[1.1, 1e8]]), comparator="allclose").equal
    assert compare(np.array([[1.0, 1e5]]), np.array([[1.1, 1e5]]), comparator="allclose").equal


def test_the_end_of_a_type_is_no_number() -> None:
    lowest = np.array([[1.0, np.finfo(np.float32).min, 2.0]], dtype=np.float32)
    result = compare(lowest, lowest)
    assert not result.equal and result.nonfinite == 1
    assert compare(lowest.astype(np.float64), lowest.astype(np.float64)).equal


def test_other_shapes_are_far_apart_and_said() -> None:
    result = compare(np.zeros((2, 3)), np.zeros((2, 4)))
    assert not result.equal and result.max_abs == np.inf and "source shape [2, 3]" in result.outputs[0].reason


def test_max_discrepancy_allows_its_share() -> None:
    ours = np.eye(4, dtype=np.float32)
    theirs = ours.copy()
    theirs[2] = [1, 0, 0, 0]
    assert compare(ours, theirs, max_discrepancy=0.25).equal
    assert not compare(ours, theirs, max_discrepancy=0.24).equal


def test_the_subset_asked_for_is_the_one_judged() -> None:
    figures = Accumulator(VerifySettings())
    ours = np.eye(3, dtype=np.float32)
    figures.add({"y": ours}, {"y": ours[:, [0, 2, 1]]}, np.array([5, 6, 7]))
    assert figures.result(np.array([5])).equal
    assert not figures.result(np.array([6])).equal
    assert figures.unequal().tolist() == [6, 7]
    for wrong in ([9], [5, 5]):
        with pytest.raises(ValueError):
            figures.result(np.array(wrong))


def test_nothing_compared_is_not_equal() -> None:
    assert not Accumulator(VerifySettings()).result().equal


def test_other_outputs_are_a_mismatch() -> None:
    with pytest.raises(LayoutMismatch):
        Accumulator(VerifySettings()).add({"a": np.zeros((1, 2))}, {"b": np.zeros((1, 2))}, np.array([0]))


def test_a_label_comparator_without_labels_is_refused() -> None:
    with pytest.raises(UnusableInput, match="applies to none"):
        compare(np.zeros((1, 2, 3)), np.zeros((1, 2, 3)), comparator="top1")


@pytest.mark.parametrize(
    "asked",
    [
        {"comparator": "nearly"},
        {"top_k": 0},
        {"max_discrepancy": 2},
        {"tolerance": (float("nan"), 0)},
        {"cosine_threshold": -1},
    ],
)
def test_settings_without_meaning_are_refused(asked: dict[str, object]) -> None:
    with pytest.raises(UnusableInput):
        if "tolerance" in asked:
            asked = {"tolerance": Tolerance(*asked["tolerance"])}
        VerifySettings(**asked)


@pytest.mark.parametrize("comparator", [None, "label", "allclose", "cosine", "exact"])
def test_chunks_without_a_value_agree(comparator: str | None) -> None:
    figures = Accumulator(VerifySettings(comparator=comparator))
    full, empty = np.ones((2, 5), np.float32), np.zeros((1, 0), np.float32)
    figures.add({"y": full}, {"y": full}, np.arange(2))
    figures.add({"y": empty}, {"y": empty}, np.array([2]))
    assert figures.result().equal
