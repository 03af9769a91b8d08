"""Inputs are read from a copy, in which files are called what they are called in what was given."""

from __future__ import annotations

from pathlib import Path

import pytest

from safeconvert.config.settings import load_settings
from safeconvert.core.progress import Phases
from safeconvert.verification.given_inputs import copied_inputs
from safeconvert.workers.run import open_run


def test_a_tree_of_folders_is_copied_as_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for name in ("cats/1.png", "dogs/1.png", "labels.csv", "notes.txt"):
        (tmp_path / "given" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "given" / name).write_bytes(name.encode())
    with open_run(load_settings(), Phases()) as run:
        copy = copied_inputs(run, tmp_path / "given", None).copy
        found = {file.relative_to(copy).as_posix(): file.read_bytes() for file in copy.rglob("*") if file.is_file()}
        assert found == {name: name.encode() for name in ("cats/1.png", "dogs/1.png", "labels.csv")}
        first = copied_inputs(run, tmp_path / "given", 1).copy
        assert [file.name for file in first.rglob("*.png")] == ["1.png"]
