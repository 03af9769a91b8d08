"""Seeds are made once a session."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from safeconvert.workers.templates import Templates
from tests.conftest import Converted

from . import seeds


@pytest.fixture(scope="session")
def made(refuted: Converted, tmp_path_factory: pytest.TempPathFactory, templates: Templates) -> Path:
    """The folder of all seeds."""
    folder = tmp_path_factory.mktemp("seeds") / "made"
    seeds.make(folder)
    for path in refuted.model.parent.iterdir():
        if path.is_file():
            shutil.copy(path, folder)
    return folder
