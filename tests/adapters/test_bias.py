"""Biases are corrected for what the rounding of the weights moves on average; an activation stays in float with its layer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.program import KERAS, run_program

pytestmark = pytest.mark.converters
PROGRAM = Path(__file__).parent / "programs" / "biases.py"


def test_the_mean_of_a_layer_stays(tmp_path: Path) -> None:
    found = json.loads(run_program(PROGRAM, tmp_path, modules=KERAS).splitlines()[-1])
    for count, before, after, in_float in found.values():
        assert count == 1 and before > 0.03 and after < before / 8, found
        assert in_float < 1e-6, "what is not rounded needs no correction"
