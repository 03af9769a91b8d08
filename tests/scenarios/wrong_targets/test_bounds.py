"""Targets that bound, count or choose otherwise far from zero, in bodies and in bits: refused, and the right ones beside them accepted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import onnx
import pytest

import safeconvert
from safeconvert.errors import NotEquivalent
from tests.scenarios.wrong_targets import bounds

pytestmark = pytest.mark.converters
CASES: dict[str, Callable[[], bounds.Three]] = {
    "a bound of one channel": bounds.bound_of_a_channel,
    "a bound of a scaled input": bounds.bound_of_a_scaled_input,
    "integers of 16 bits": bounds.integers_of_16_bits,
    "a bound in a function": bounds.bound_in_a_function,
    "a bound in a loop": bounds.bound_in_a_loop,
    "the bound itself": bounds.truth_at_a_bound,
    "seconds in float32": bounds.seconds_in_float32,
    "squares of counts": bounds.squares_of_counts,
    "squares in 32 bits": bounds.squares_in_32_bits,
    "bits for a rest": bounds.bits_for_a_rest,
    "bits of a byte": bounds.bits_of_a_byte,
    "places of a row": bounds.places_of_a_row,
    "rows by two numbers": bounds.rows_by_two_numbers,
    "weights behind a sleeping unit": bounds.weights_behind_a_sleeping_unit,
    "the shift of a sleeping unit": bounds.shift_of_a_sleeping_unit,
    "boxes behind the first": bounds.boxes_behind_the_first,
    "rows from the end": bounds.rows_from_the_end,
    "calls of zeros": bounds.calls_of_zeros,
    "a mask of another depth": bounds.mask_of_another_depth,
    "rows behind a bound": bounds.rows_behind_a_bound,
}


@pytest.mark.parametrize("name", CASES)
def test_the_wrong_one_is_refused_and_the_right_one_is_not(name: str, tmp_path: Path) -> None:
    for path, made in zip(("source", "wrong", "right"), CASES[name](), strict=True):
        onnx.save(made, tmp_path / f"{path}.onnx")
    source = tmp_path / "source.onnx"
    safeconvert.verify(source, tmp_path / "right.onnx", target_layout="keep")
    with pytest.raises(NotEquivalent):
        safeconvert.verify(source, tmp_path / "wrong.onnx", target_layout="keep")
