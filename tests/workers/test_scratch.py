"""Scratch folders of dead runs are removed, and nobody else's."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

import pytest

from safeconvert.workers.scratch import scratch_folder, sweep

DEAD = "safeconvert-99999999-1-abc"


def made(root: Path, name: str, lock: bool = True) -> Path:
    (root / name / "work").mkdir(parents=True)
    if lock:
        (root / name / "lock").touch()
    return root / name


def test_a_folder_of_a_dead_run_is_removed_with_all_in_it(tmp_path: Path) -> None:
    (made(tmp_path, DEAD) / "work" / "model").write_text("x")
    sweep(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_whose_lock_is_held_stays_whatever_its_name(tmp_path: Path) -> None:
    """As one does whose process lives in another container."""
    folder = made(tmp_path, DEAD)
    held = os.open(folder / "lock", os.O_RDWR)
    fcntl.flock(held, fcntl.LOCK_EX)
    sweep(tmp_path)
    assert folder.exists()
    os.close(held)
    sweep(tmp_path)
    assert not folder.exists()


def test_a_folder_without_a_lock_stays_until_it_is_old(tmp_path: Path) -> None:
    folder = made(tmp_path, DEAD, lock=False)
    sweep(tmp_path)
    assert folder.exists()
    os.utime(folder, (time.time() - 3600,) * 2)
    sweep(tmp_path)
    assert not folder.exists()


@pytest.mark.parametrize(
    "name", ["safeconvert-notes", "safeconvert-logs-20260101-000000-1-x", "other", "safeconvert-1"]
)
def test_other_names_stay(name: str, tmp_path: Path) -> None:
    folder = made(tmp_path, name)
    sweep(tmp_path)
    assert folder.exists()


def test_a_link_stays_and_what_it_points_to(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    kept = made(tmp_path, "mine")
    (tmp_path / "root" / DEAD).symlink_to(kept)
    sweep(tmp_path / "root")
    assert (kept / "work").is_dir() and (tmp_path / "root" / DEAD).is_symlink()


def test_a_folder_that_vanishes_meanwhile_is_no_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made(tmp_path, DEAD)
    monkeypatch.setattr(Path, "iterdir", lambda self: iter([tmp_path / "safeconvert-99999998-1-gone", tmp_path / DEAD]))
    sweep(tmp_path)
    assert not (tmp_path / DEAD).exists()


def test_a_run_keeps_its_own_and_takes_it_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with scratch_folder() as folder:
        sweep(tmp_path)
        assert folder.is_dir() and folder.name.startswith(f"safeconvert-{os.getpid()}-")
        with scratch_folder() as second:
            assert second != folder
    assert list(tmp_path.iterdir()) == []
