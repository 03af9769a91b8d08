"""A native file that no reader knows is no failure of a worker."""

from __future__ import annotations

from pathlib import Path

import pytest

from safeconvert.config.settings import load_settings
from safeconvert.core.formats import detect
from safeconvert.core.progress import Phases
from safeconvert.errors import NoVerdict
from safeconvert.verification.native_forms import read_again
from safeconvert.verification.snapshot import snapshot
from safeconvert.workers.run import open_run

pytestmark = pytest.mark.converters


def test_what_is_not_read_is_no_failure_of_a_worker(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with open_run(load_settings(), Phases()) as run:
        path = snapshot(run, detect(whole / "script.pt")).path
        with pytest.raises(NoVerdict, match="no sizes of its inputs"):
            read_again(run, "source", (path, "torch"), ())
        assert not run.pool.failed
