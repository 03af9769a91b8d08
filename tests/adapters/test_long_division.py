"""TFLite divides no int64; the Keras models that go there are given a long division, which is exact."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.program import KERAS, run_program

pytestmark = pytest.mark.converters
PROGRAM = Path(__file__).parent / "programs" / "long_division.py"


def test_quotients_and_remainders_of_int64_are_exact() -> None:
    found = json.loads(run_program(PROGRAM, modules=KERAS).splitlines()[-1])
    assert found["wrong"] == 0 and found["numbers"] > 4000
    assert found["quotient"] and found["remainder"]
    assert any("long divisions" in note for note in found["notes"]) and not found["untouched"]
