"""A Keras file with code in it is refused; one that is trusted and still does not load says why."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.errors import UnusableInput
from safeconvert.registry.manifest import adapters, framework
from safeconvert.workers.pool import WorkerPool
from safeconvert.workers.session import open_session
from safeconvert.workers.worker import Limits

pytestmark = pytest.mark.converters
_SCRIPT = """
import os, sys
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
import keras

def doubled(x):
    return 2 * x

keras.Sequential([keras.Input((3,)), keras.layers.Lambda(doubled)]).save(sys.argv[1])
"""


def test_a_trusted_file_that_does_not_load_names_what_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    subprocess.run([sys.executable, "-c", _SCRIPT, path], check=True, capture_output=True)
    with WorkerPool(tmp_path, tmp_path, Limits(300, 16 << 30)) as pool:
        keras, worker = framework("keras", adapters()), pool.worker("keras")
        with pytest.raises(UnusableInput, match=r"Lambda layer.*refused"):
            open_session(worker, keras, ModelRequest(str(path)))
        with pytest.raises(UnusableInput, match=r"Keras cannot load it: .*doubled"):
            open_session(worker, keras, ModelRequest(str(path), trust_pickle=True))
