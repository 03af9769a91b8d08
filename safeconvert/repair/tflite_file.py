"""Functions of the tflite adapter that read or write how a file stores its numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.registry.manifest import framework
from safeconvert.workers.requests import CallFunction
from safeconvert.workers.run import Run


def call_tflite(run: Run, function: str, path: Path, **arguments: Any) -> Any:
    """Call one on a file, in the worker of converters. Raises AdapterFailure."""
    adapter = framework("tflite", run.adapters)
    request = CallFunction(adapter.folder, function, {"request": ModelRequest(str(path)).to_json(), **arguments})
    worker = run.pool.worker("convert", adapter.python)
    return worker.call(adapter.name, f"reading how {path.name} stores its numbers", request)
