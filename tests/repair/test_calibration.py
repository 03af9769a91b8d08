"""Ranges of activations are measured on steering inputs that were given, never on those held out or made up."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from safeconvert.config.settings import load_settings
from safeconvert.inputs.store import Chunk
from safeconvert.repair.float_target import calibration_of

GIVEN, CHUNK = 20, 8


def calibrated(tmp_path: Path, steering: list[int], most: int) -> tuple[int, list[float]]:
    """How many inputs a calibration says it has, and the numbers of those that it holds."""
    chunks = []
    for start in range(0, GIVEN, CHUNK):
        stop = min(start + CHUNK, GIVEN)
        np.save(tmp_path / f"{start}.npy", np.arange(start, stop, dtype=np.float32)[:, None])
        chunks.append(Chunk(start, stop, {"x": tmp_path / f"{start}.npy"}))
    inputs = SimpleNamespace(count=GIVEN, origin="x.npy")
    source = SimpleNamespace(data=SimpleNamespace(given=tuple(chunks), inputs=inputs), steering=np.array(steering))
    settings = load_settings()
    settings = replace(settings, quantize=replace(settings.quantize, calibration=most))
    (tmp_path / "made").mkdir()
    run = SimpleNamespace(settings=settings, folder=lambda name: tmp_path / "made")
    found = calibration_of(cast(Any, run), cast(Any, source))
    held = [float(value) for chunk in found.chunks for value in np.load(chunk.arrays["x"])[:, 0]]
    return found.inputs, held


@pytest.mark.parametrize(
    ("steering", "most", "used"),
    [
        ([1, 3, 9, 17, 25, 30], 500, [1, 3, 9, 17]),  # from 20 on they are made up
        (list(range(0, 20, 2)), 5, [0, 4, 8, 12, 16]),
        ([25], 500, []),
    ],
)
def test_only_given_steering_inputs_are_used(steering: list[int], most: int, used: list[int], tmp_path: Path) -> None:
    assert calibrated(tmp_path, steering, most) == (len(used), used)
