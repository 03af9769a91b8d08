"""What the ONNX forms of both sides hold otherwise, asked of the worker that reads graphs."""

from __future__ import annotations

from typing import Any

from safeconvert.conversion.models import Export
from safeconvert.errors import SafeconvertError
from safeconvert.registry.manifest import framework
from safeconvert.workers.requests import CallFunction
from safeconvert.workers.run import Run


def of_both(run: Run, function: str, title: str, source: Export, target: Export) -> tuple[Any, ...]:
    """What a function says of both graphs; () where a side has no ONNX form. Never raises for a graph that cannot be read.

    Args:
        run: the surroundings.
        function: of the adapter of ONNX, which takes the paths `source` and `target`.
        title: of the call.
        source, target: the forms.
    """
    if source.path is None or target.path is None:
        return ()
    arguments = {"source": str(source.path), "target": str(target.path)}
    request = CallFunction(framework("onnx", run.adapters).folder, function, arguments)
    try:
        return tuple(run.pool.worker("onnx").call("onnx", title, request))
    except SafeconvertError:
        return ()
