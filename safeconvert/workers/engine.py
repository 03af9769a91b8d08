"""Call the repair engine in the worker that holds ONNX Runtime."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safeconvert.workers.requests import CallFunction
from safeconvert.workers.run import Run

ENGINE = Path(__file__).resolve().parents[1] / "repair" / "engine"


def call_engine(run: Run, function: str, doing: str, arguments: Mapping[str, Any]) -> Any:
    """Call a function of the engine in the worker that holds ONNX Runtime. Raises AdapterFailure, SafeconvertError."""
    request = CallFunction(ENGINE, function, arguments, modules=("onnx", "onnxruntime"))
    return run.pool.worker("onnx").call("safeconvert", doing, request)
