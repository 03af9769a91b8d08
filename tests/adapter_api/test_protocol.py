"""What adapters are asked and what they answer: through JSON and back, permutations in a row, shapes that users give."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from safeconvert.adapter_api.protocol import (
    NCHW_TO_NHWC,
    NHWC_TO_NCHW,
    UNCHANGED,
    ConvertReply,
    ConvertRequest,
    ModelRequest,
)
from safeconvert.adapter_api.shapes import natural_order, with_given_shapes
from safeconvert.core.signature import TensorSpec
from safeconvert.errors import UnusableInput
from tests.core.test_signature import SIGNATURES

TEXT = st.text(max_size=6)
SHAPES = st.lists(st.integers(0, 300), max_size=4).map(tuple)
REQUESTS = st.builds(
    ModelRequest,
    path=TEXT,
    input_shapes=st.dictionaries(TEXT, SHAPES, max_size=2),
    candidate_shapes=st.lists(SHAPES, max_size=2).map(tuple),
    candidate_inputs=st.lists(st.tuples(TEXT, SHAPES, TEXT), max_size=2).map(tuple),
    factory=TEXT,
    trust_pickle=st.booleans(),
    search_path=TEXT,
)
CONVERSIONS = st.builds(
    ConvertRequest,
    model=REQUESTS,
    target=TEXT,
    signature=st.none() | SIGNATURES,
    opset=st.integers(0, 30),
    optimize=st.sampled_from(["none", "default", "float16"]),
)


def moves(rank: int) -> st.SearchStrategy[tuple[int, ...] | None]:
    return st.none() | st.permutations(range(rank)).map(tuple)


def replies(count: int = 2, rank: int = 4) -> st.SearchStrategy[ConvertReply]:
    many = st.lists(moves(rank), max_size=count).map(tuple)
    return st.builds(ConvertReply, inputs=many, outputs=many, notes=st.lists(TEXT, max_size=2).map(tuple))


@given(REQUESTS, CONVERSIONS, replies())
def test_json_and_back_is_the_same(request: ModelRequest, conversion: ConvertRequest, reply: ConvertReply) -> None:
    for value in (request, conversion, reply):
        assert type(value).from_json(json.loads(json.dumps(value.to_json()))) == value


def moved(array: np.ndarray, moves: tuple[tuple[int, ...] | None, ...], position: int) -> np.ndarray:
    """The array as a converter says that it laid it out: target dimension j is source dimension p[j]."""
    move = moves[position] if position < len(moves) else None
    return array if move is None else array.transpose(move)


@given(st.lists(replies(), min_size=2, max_size=4))
def test_steps_in_a_row_move_dimensions_as_one_after_the_other(steps: list[ConvertReply]) -> None:
    whole = steps[0]
    for step in steps[1:]:
        whole = whole.then(step)
    array = np.arange(2 * 3 * 5 * 7).reshape(2, 3, 5, 7)
    for position in range(3):
        for side in ("inputs", "outputs"):
            walked = array
            for step in steps:
                walked = moved(walked, getattr(step, side), position)
            np.testing.assert_array_equal(moved(array, getattr(whole, side), position), walked)
    assert whole.notes == tuple(note for step in steps for note in step.notes)
    assert tuple(range(4)) not in whole.inputs + whole.outputs, "a move that moves nothing is None"


@given(replies(), replies(), replies())
def test_how_steps_are_grouped_makes_no_difference(one: ConvertReply, two: ConvertReply, three: ConvertReply) -> None:
    assert one.then(two).then(three) == one.then(two.then(three))


def test_there_and_back_is_unchanged() -> None:
    there, back = ConvertReply((NCHW_TO_NHWC,), ()), ConvertReply((NHWC_TO_NCHW,), ())
    assert there.then(back) == ConvertReply((None,), ()) and UNCHANGED.then(UNCHANGED) == UNCHANGED
    assert np.zeros((1, 3, 8, 9)).transpose(NCHW_TO_NHWC).shape == (1, 8, 9, 3)
    assert np.zeros((1, 8, 9, 3)).transpose(NHWC_TO_NCHW).shape == (1, 3, 8, 9)


def spec(*shape: int | None, name: str = "x") -> TensorSpec:
    return TensorSpec(name, shape, "float32")


def asked(*candidates: tuple[int, ...], **given_shapes: tuple[int, ...]) -> ModelRequest:
    return ModelRequest("m", {name.strip("_"): shape for name, shape in given_shapes.items()}, candidates)


@pytest.mark.parametrize(
    ("request_", "shapes"),
    [
        (asked(), [(None, 3, None, None), (None, None)]),
        (asked(x=(1, 3, 8, 9)), [(None, 3, 8, 9), (None, None)]),
        (asked(_=(1, 3, 8, 9)), [(None, 3, 8, 9), (None, None)]),
        (asked(x=(1, 0, 8, 0)), [(None, 3, 8, None), (None, None)]),
        (asked(y=(5, 4)), [(None, 3, None, None), (None, 4)]),
        (asked((1, 1, 8, 9), (1, 3, 7, 7), (1, 3, 5, 5), (2, 6)), [(None, 3, 7, 7), (None, 6)]),
        (asked((1, 3, 7, 7), x=(1, 3, 8, 9)), [(None, 3, 8, 9), (None, None)]),
    ],
    ids=str,
)
def test_free_dimensions_become_what_is_given_or_the_first_candidate_that_fits(
    request_: ModelRequest, shapes: list[tuple[int | None, ...]]
) -> None:
    specs = with_given_shapes([spec(None, 3, None, None), spec(None, None, name="y")], request_)
    assert [found.shape for found in specs] == shapes


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        (asked(x=(1, 4, 8, 8)), "does not fit input x"),
        (asked(x=(1, 3, 8)), "does not fit input x"),
        (asked(x=()), "does not fit input x"),
        (asked(_=(1, 16)), "does not fit input x"),
        (asked(z=(1, 3, 8, 8)), "--input-shape z: no such input"),
    ],
    ids=str,
)
def test_a_shape_that_contradicts_or_names_no_input_is_refused(request_: ModelRequest, says: str) -> None:
    with pytest.raises(UnusableInput, match=says):
        with_given_shapes([spec(None, 3, None, None)], request_)


@pytest.mark.parametrize(
    ("others", "sizes"),
    [
        ([("x", (0, 1, 6)), ("past", (0, 4, 6))], [1, 4]),
        ([("past", (0, 4, 6)), ("x", (0, 1, 6))], [1, 4]),
        ([("a", (0, 1, 6)), ("b", (0, 4, 6))], [1, 4]),
        ([("a", (0, 1, 6)), ("b", (0, 4, 6)), ("c", (0, 5, 6))], [1, 1]),
        ([("x", (0, 1, 6)), ("past", (0, 4, 7))], [1, 1]),
    ],
)
def test_an_input_has_the_sizes_of_the_other_models_of_its_name_or_place(
    others: list[tuple[str, tuple[int, ...]]], sizes: list[int]
) -> None:
    shapes = tuple(shape for _, shape in others)
    request = ModelRequest("m", {}, shapes, tuple((name, shape, "float32") for name, shape in others))
    found = with_given_shapes([spec(None, None, 6), spec(None, None, 6, name="past")], request)
    assert [one.shape[1] for one in found] == sizes


@given(
    st.lists(st.none() | st.integers(1, 9), max_size=4).map(tuple),
    st.lists(st.lists(st.integers(0, 9), max_size=4).map(tuple)),
)
def test_candidates_change_no_dimension_that_is_declared(
    declared: tuple[int | None, ...], candidates: list[tuple[int, ...]]
) -> None:
    (found,) = with_given_shapes([spec(*declared)], ModelRequest("m", {}, tuple(candidates)))
    assert len(found.shape) == len(declared) and found.shape[:1] == declared[:1]
    assert all(own is None or own == new for own, new in zip(declared, found.shape, strict=True))
    assert 0 not in found.shape[1:]


@given(st.lists(st.integers(0, 1000), unique=True), st.sampled_from(["output", "a_b", ""]))
def test_numbered_names_are_ordered_by_number(numbers: list[int], stem: str) -> None:
    assert sorted((f"{stem}_{n}" for n in numbers), key=natural_order) == [f"{stem}_{n}" for n in sorted(numbers)]


@given(st.text())
def test_any_name_has_its_place(name: str) -> None:
    stem, number = natural_order(name)
    assert (stem, number) == (name, -1) or int(name.removeprefix(f"{stem}_")) == number
    assert natural_order("x_²") == ("x_²", -1)
