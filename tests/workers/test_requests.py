"""Requests to a worker, answered by a real one."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from safeconvert.errors import AdapterFailure
from safeconvert.workers.requests import (
    CallFunction,
    CloseModel,
    ImportModules,
    LoadAdapter,
    OpenModel,
    ReadVersions,
    RunModel,
)
from safeconvert.workers.worker import Limits, Worker

ADAPTER = """
from pathlib import Path
import numpy as np
from safeconvert.core.signature import Signature, TensorSpec

class Doubling:
    def signature(self):
        spec = TensorSpec("x", (None, 2), "float32")
        return Signature((spec,), (TensorSpec("y", (None, 2), "float32"),))

    def predict(self, feeds):
        return {"y": 2 * feeds["x"]}

def load(request):
    return Doubling()

def parts(path, number):
    return [Path(path).name, number]
"""


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    folder = tmp_path_factory.mktemp("worker")
    worker = Worker(Path(sys.executable), folder / "worker.log", Limits(60.0, 4 << 30), folder)
    yield worker
    worker.close()


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("adapters") / "doubling"
    folder.mkdir()
    (folder / "adapter.py").write_text(ADAPTER)
    return folder


def test_modules_adapters_and_versions(worker: Worker, adapter: Path) -> None:
    assert worker.call("a", "importing", ImportModules(("json",)))["python"].startswith("3.")
    assert worker.call("a", "loading", LoadAdapter(adapter)) is None
    versions = worker.call("a", "reading versions", ReadVersions(("numpy", "no-such-package")))
    assert versions == {"numpy": np.__version__, "no-such-package": None}


def test_a_call_passes_paths_and_plain_values(worker: Worker, adapter: Path) -> None:
    request = CallFunction(adapter, "parts", {"path": adapter / "x.bin", "number": 3})
    assert worker.call("a", "calling", request) == ["x.bin", 3]


def test_a_model_is_opened_run_and_closed(worker: Worker, adapter: Path, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.ones((3, 2), np.float32))
    opened = worker.call("a", "loading", OpenModel(adapter, {}))
    request = RunModel(opened["handle"], [{"x": tmp_path / "x.npy"}], tmp_path)
    (made,) = worker.call("a", "running", request)
    assert np.array_equal(np.load(made["y"]), np.full((3, 2), 2, np.float32))
    worker.call("a", "closing", CloseModel(opened["handle"]))
    with pytest.raises(AdapterFailure):
        worker.call("a", "running", request)
