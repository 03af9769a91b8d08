"""Recurrent layers with masks, which Keras writes out step by step wrongly where they read backwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.command import safeconvert
from tests.program import KERAS, run_program

pytestmark = pytest.mark.converters


def test_masked_layers_that_read_backwards_reach_tflite(tmp_path: Path) -> None:
    run_program(Path(__file__).parent / "programs" / "recurrent.py", tmp_path, modules=KERAS)
    called = safeconvert("keras2tflite", tmp_path / "masked.keras", "-o", tmp_path / "m.tflite", "--samples", "16")
    assert called.code == 0, called.text
