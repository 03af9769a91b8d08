"""ExportedProgram archives: nothing of one runs before it was read as data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from safeconvert.workers.pool import WorkerPool

from .attempts import opened, run
from .registry import EXPORTED_PROGRAM, Attack

pytestmark = pytest.mark.converters


@pytest.mark.parametrize("attack", EXPORTED_PROGRAM, ids=lambda attack: attack.id)
def test_an_attack_is_refused(attack: Attack, require_stopped: Callable[[Attack], None]) -> None:
    require_stopped(attack)


@pytest.mark.parametrize("name", ["legitimate.pt2"])
def test_legitimate_files_are_opened_and_run(
    name: str, pool: WorkerPool, made: Callable[[str], Path], tmp_path: Path
) -> None:
    assert run(opened(pool, "torch", made("exported_program") / name), tmp_path)
