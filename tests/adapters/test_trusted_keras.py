"""A Keras file with code in it is refused; one that is trusted and still does not load says why."""

from __future__ import annotations

from pathlib import Path

import pytest

from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.errors import UnusableInput
from safeconvert.registry.manifest import adapters, framework
from safeconvert.workers.pool import WorkerPool
from safeconvert.workers.session import open_session
from safeconvert.workers.templates import Templates
from safeconvert.workers.worker import Limits
from tests.program import KERAS, run_program

pytestmark = pytest.mark.converters


def test_a_trusted_file_that_does_not_load_names_what_is_missing(tmp_path: Path, templates: Templates) -> None:
    path = tmp_path / "model.keras"
    run_program(Path(__file__).parent / "programs" / "keras_with_code.py", path, modules=KERAS)
    with WorkerPool(tmp_path, tmp_path, Limits(300, 16 << 30), templates=templates) as pool:
        keras, worker = framework("keras", adapters()), pool.worker("keras")
        with pytest.raises(UnusableInput, match=r"Lambda layer.*refused"):
            open_session(worker, keras, ModelRequest(str(path)))
        with pytest.raises(UnusableInput, match=r"Keras cannot load it: .*doubled"):
            open_session(worker, keras, ModelRequest(str(path), trust_pickle=True))
