"""Whole conversions and verifications of mutants: accepted is only what is the same function."""

from __future__ import annotations

from collections.abc import Callable
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


def _same_onnx(one: Path, other: Path) -> str:
    return apart(one, other) or "same"


def _same_native(one: Path, other: Path) -> str:
    return run_program(_RUN_KERAS, one, other, modules=KERAS).strip()


@pytest.mark.parametrize(
    ("kind", "count", "seed", "compared", "needed"),
    [("onnx", 12, 2, _same_onnx, {0, 1}), ("tflite", 8, 4, _same_native, {0, 1}), ("keras", 4, 3, _same_native, {0})],
    ids=["onnx", "tflite", "keras"],
)
def test_a_mutant_is_verified_against_its_original_only_where_it_is_the_same_function(
    kind: str,
    count: int,
    seed: int,
    compared: Callable[[Path, Path], str],
    needed: set[int],
    made: Path,
    tmp_path: Path,
) -> None:
    with judging(tmp_path / "judged") as judge:
        mutants = list(running(_KINDS[kind], made, judge, count, seed))
    codes = []
    for number, main, files in mutants:
        place = tmp_path / str(number)
        write(files, place)
        codes.append(converted("verify", made / main, place / main, state=tmp_path / "state").code)
        if codes[-1] == 0:
            assert compared(made / main, place / main) == "same", (number, main)
    assert needed <= set(codes), codes


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
