"""The small languages of the command line: what is written is what is read, and all else is said to be wrong."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safeconvert.compare.settings import Tolerance
from safeconvert.config import parsing
from safeconvert.errors import UnusableInput

NAMES = st.text(min_size=1, max_size=8)  # names of tensors hold slashes, colons, "=" and more


@given(st.dictionaries(NAMES, st.lists(st.integers(0, 10**6), min_size=1, max_size=5).map(tuple), max_size=3))
def test_shapes(wanted: dict[str, tuple[int, ...]]) -> None:
    assert parsing.shapes([f"{name}={','.join(map(str, shape))}" for name, shape in wanted.items()]) == wanted


@given(st.dictionaries(NAMES, st.tuples(st.integers(), st.integers(1, 10**6)), max_size=3))
def test_ranges(wanted: dict[str, tuple[int, int]]) -> None:
    wanted = {name: (low, low + size) for name, (low, size) in wanted.items()}
    assert parsing.ranges([f"{name}={low}:{high}" for name, (low, high) in wanted.items()]) == wanted


@given(st.dictionaries(NAMES, st.tuples(*[st.floats(0, 1e300)] * 2), max_size=3))
def test_tolerances(wanted: dict[str, tuple[float, float]]) -> None:
    expected = {name: Tolerance(*both) for name, both in wanted.items()}
    assert parsing.tolerances([f"{name}={rtol!r},{atol!r}" for name, (rtol, atol) in wanted.items()]) == expected


@given(
    st.dictionaries(st.just("") | NAMES, st.sampled_from(["keep", "NCHW->NHWC", "NHWC->NCHW"]), max_size=3),
    st.booleans(),
)
def test_layouts(wanted: dict[str, str], lower: bool) -> None:
    texts = [f"{name}={layout.lower() if lower else layout}" for name, layout in wanted.items()]
    assert parsing.layouts(texts) == wanted


def test_what_has_no_name_is_for_the_only_tensor_or_all() -> None:
    assert parsing.shapes(["1,3,8,8", "ids=?,16", " n = 1, 2 "]) == {"": (1, 3, 8, 8), "ids": (0, 16), " n ": (1, 2)}
    assert parsing.layouts(["keep", "x=nchw->nhwc"]) == {"": "keep", "x": "NCHW->NHWC"}


@pytest.mark.parametrize(
    ("parse", "option", "texts"),
    [
        (parsing.shapes, "--input-shape", ["a,b", "x=1,-2", "1.5", "x=1;2", "[1,2]", "x"]),
        (parsing.ranges, "--input-range", ["ids=5:5", "ids=6:5", "0:5", "ids=5", "ids=a:b", "ids=1:2:3", "ids=", "ids=:5"]),
        (parsing.layouts, "--target-layout", ["x=up", "NCHW", "x=", "", "NCHW->NCHW"]),
        (parsing.tolerances, "--tolerance", ["y=1", "1,2", "y=1,2,3", "y=a,b", "y="]),
        (parsing.tolerances, "tolerance", ["y=nan,0", "y=0,inf", "y=-1,0", "y=0,-0.1"]),
    ],
)  # fmt: skip
def test_what_means_nothing_is_refused_with_its_option(
    parse: Callable[[list[str]], object], option: str, texts: list[str]
) -> None:
    for text in texts:
        with pytest.raises(UnusableInput) as raised:
            parse([text])
        assert option in raised.value.message, text
