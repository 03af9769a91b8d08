"""Logs of old runs are removed, and never those of a run that goes on."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from safeconvert.config.settings import load_settings
from safeconvert.core.progress import Phases
from safeconvert.workers.run import open_run


def test_a_long_run_keeps_its_logs_whatever_other_runs_begin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    root = tmp_path / "safeconvert" / "logs"
    gone, running = root / "20200101-000000-99999999-old", root / f"20200101-000000-{os.getppid()}-long"
    for folder in (gone, running):
        folder.mkdir(parents=True)
    settings = load_settings()
    with open_run(replace(settings, logs=replace(settings.logs, kept=1)), Phases()) as run:
        assert run.logs.is_dir() and run.logs.parent == root
        assert running.is_dir() and not gone.exists()
