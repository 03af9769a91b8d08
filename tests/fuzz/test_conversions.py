"""Whole conversions and verifications of mutants: accepted is only what is the same function."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.program import KERAS, TORCH, run_program

from .conversions import apart, converted, running
from .kinds import MODELS
from .models import judging
from .seeds import write

pytestmark = [pytest.mark.converters, pytest.mark.slow]
_KINDS = {kind.name: kind for kind in MODELS}
_RUN = Path(__file__).parent / "programs" / "torch_answers.py"
_RUN_KERAS = Path(__file__).parent / "programs" / "keras_answers.py"


def test_a_mutant_is_verified_against_its_original_only_where_it_is_the_same_function(
    made: Path, tmp_path: Path
) -> None:
    with judging(tmp_path / "judged") as judge:
        mutants = list(running(_KINDS["onnx"], made, judge, 12, seed=2))
    codes = []
    for number, main, files in mutants:
        place = tmp_path / str(number)
        write(files, place)
        codes.append(converted("verify", made / main, place / main, state=tmp_path / "state").code)
        if codes[-1] == 0:
            assert not apart(made / main, place / main), (number, main)
    assert {0, 1} <= set(codes), codes


@pytest.mark.parametrize(("kind", "count"), [("tflite", 8), ("keras", 4)])
def test_a_mutant_of_a_native_file_is_verified_against_its_original_only_where_it_is_the_same_function(
    kind: str, count: int, made: Path, tmp_path: Path
) -> None:
    with judging(tmp_path / "judged") as judge:
        mutants = list(running(_KINDS[kind], made, judge, count, seed=3))
    codes = []
    for number, main, files in mutants:
        place = tmp_path / str(number)
        write(files, place)
        codes.append(converted("verify", made / main, place / main, state=tmp_path / "state").code)
        if codes[-1] == 0:
            answer = run_program(_RUN_KERAS, made / main, place / main, modules=KERAS)
            assert answer.strip() == "same", (number, main, answer)
    assert {0, 1} & set(codes), codes


def test_a_mutant_is_converted_to_what_it_is_itself(made: Path, tmp_path: Path) -> None:
    with judging(tmp_path / "judged") as judge:
        mutants = list(running(_KINDS["torchscript"], made, judge, 3, seed=2))
    verified = 0
    for number, main, files in mutants:
        place = tmp_path / str(number)
        write(files, place)
        target = place / "out.onnx"
        called = converted(
            "torch2onnx", place / main, "-o", target, "--input-shape", _shape(main), state=tmp_path / "state"
        )
        assert target.exists() == (called.code == 0)
        if called.code == 0:
            verified += 1
            answer = run_program(_RUN, place / main, target, modules=TORCH)
            assert answer.strip() == "same", (number, main, answer)
    assert verified


def _shape(main: str) -> str:
    return {"traced.pt": "0,3,5,5", "scripted.pt": "0,4"}[main]
