"""Keras files name Keras' own classes, and hold their weights themselves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from safeconvert.workers.pool import WorkerPool

from .attempts import opened, run
from .registry import KERAS, KERAS_HDF5, Attack

pytestmark = pytest.mark.converters


@pytest.mark.parametrize("attack", KERAS + KERAS_HDF5, ids=lambda attack: attack.id)
def test_an_attack_is_refused(attack: Attack, require_stopped: Callable[[Attack], None]) -> None:
    require_stopped(attack)


@pytest.mark.parametrize("name", ["legitimate.keras", "legitimate.h5"])
def test_legitimate_files_are_opened_and_run(
    name: str, pool: WorkerPool, made: Callable[[str], Path], tmp_path: Path
) -> None:
    assert run(opened(pool, "keras", made("keras_files") / name), tmp_path)
