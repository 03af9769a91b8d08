"""Traced attention, which TorchScript holds as one operator that torch's exporters do not know."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.command import safeconvert
from tests.program import TORCH, run_program

pytestmark = pytest.mark.converters


@pytest.mark.parametrize("place", [0, 1])
def test_a_traced_encoder_reaches_onnx(place: int, tmp_path: Path) -> None:
    files = [tmp_path / "after.pt", tmp_path / "first.pt"]
    run_program(Path(__file__).parent / "programs" / "attention.py", *files, modules=TORCH)
    called = safeconvert(
        "torch2onnx", files[place], "-o", tmp_path / "m.onnx", "--input-shape", "0,7,12", "--samples", "20", "--json",
        "--route", "torch_onnx_script", XDG_STATE_HOME=str(tmp_path / "state"),
    )  # fmt: skip
    assert called.code == 0, called.text
