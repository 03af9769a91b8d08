"""Control flow, tables, inputs and bounds that only one side of a pair has, as far as both have an ONNX form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from safeconvert.conversion.models import Export
from safeconvert.errors import SafeconvertError
from safeconvert.registry.manifest import framework
from safeconvert.workers.requests import CallFunction
from safeconvert.workers.run import Run


def one_sided(run: Run, source: Export, target: Export, feeds: Sequence[Mapping[str, Path]]) -> tuple[str, ...]:
    """One line each; () where a side has no ONNX form. Never raises for a graph that cannot be read.

    Args:
        run: the surroundings.
        source, target: their ONNX forms.
        feeds: what the target was run on, for bounds that only it has and that none of these reached.
    """
    if source.path is None or target.path is None:
        return ()
    request = CallFunction(
        framework("onnx", run.adapters).folder,
        "only_on_one_side",
        {
            "source": str(source.path),
            "target": str(target.path),
            "groups": [{name: str(path) for name, path in chunk.items()} for chunk in feeds],
        },
    )
    try:
        return tuple(run.pool.worker("onnx").call("onnx", "comparing what both graphs have", request))
    except SafeconvertError:
        return ()
