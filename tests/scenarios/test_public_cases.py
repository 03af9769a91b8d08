"""Models of kinds that people reported trouble with, where they are present: each behaves as its `case.toml` says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.command import safeconvert
from tests.scenarios.public_cases import CASES, Case, build, public_cases, run

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(not CASES.is_dir(), reason="the public cases are not here"),
]


@dataclass(frozen=True)
class Refusal:
    """How a command may end other than with a right file.

    Attributes:
        codes: exit codes.
        words: what the message names.
    """

    codes: tuple[int, ...]
    words: tuple[str, ...]


REFUSED: Mapping[str, Refusal] = {
    "textvec": Refusal((2, 3), ("TextVectorization", "fed with token ids")),
}
"""By case, or case and command: every other command has to end with a right file."""

OBLIGED = {
    "mixed16 keras2tflite": ("float32", "float16"),
    "paddle_rec onnx2keras --input-shape 1,3,48,96": ("width",),
    "tfl_prelu16 tflite2torch": ("output_0", "output_1"),
}
"""Words of the obligations that a right file must come with."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cases")


@pytest.mark.parametrize(
    ("case", "command"),
    [pytest.param(case, c, id=f"{case.name}-{c}") for case in public_cases() for c in case.commands],
)
def test_a_case_behaves_as_it_says(case: Case, command: str, folder: Path) -> None:
    build(case, folder)
    outcome = run(case, command, folder, safeconvert)
    refusal = REFUSED.get(f"{case.name} {command}", REFUSED.get(case.name))
    if outcome.verdict == "right":
        obliged = " ".join(outcome.obligations)
        assert [word for word in OBLIGED.get(f"{case.name} {command}", ()) if word not in obliged] == [], obliged
        return
    assert refusal is not None and outcome.verdict == "refused" and outcome.code in refusal.codes, outcome
    assert [word for word in refusal.words if word not in outcome.text] == [], outcome.text
