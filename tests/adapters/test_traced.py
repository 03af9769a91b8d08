"""A Keras model is traced once, whatever numbers of samples it is called with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.program import KERAS, run_program

pytestmark = pytest.mark.converters
PROGRAM = Path(__file__).parent / "programs" / "traced.py"


def test_calls_of_all_sizes_share_one_trace() -> None:
    assert json.loads(run_program(PROGRAM, False, modules=KERAS)) == {"traced": [None], "apart": 0.0}


def test_a_layer_that_has_to_know_the_number_of_samples_is_told() -> None:
    assert json.loads(run_program(PROGRAM, True, modules=KERAS)) == {"traced": [None, 4], "apart": 0.0}
