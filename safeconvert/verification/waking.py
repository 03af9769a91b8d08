"""Inputs that wake units of a source at which weights of its target differ, searched on the ONNX forms; see `graph.sleeping`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from safeconvert.conversion.models import Export
from safeconvert.errors import SafeconvertError
from safeconvert.graph.mutate import Range
from safeconvert.graph.reach_plan import Plan
from safeconvert.inputs.store import Chunk
from safeconvert.registry.manifest import framework
from safeconvert.verification.pair import Pair
from safeconvert.verification.reaching import lies_in, reached_chunks
from safeconvert.workers.requests import CallFunction
from safeconvert.workers.run import Run
from safeconvert.workers.session import load_files

_ROUNDS, _CHILDREN, _PATIENCE = 48, 12, 12


def waking(run: Run, pair: Pair, target: Export, ranges: Mapping[str, Range]) -> tuple[Chunk, ...]:
    """Chunks of such inputs, numbered from 0; () where no weights differ in a few numbers alone. Never raises for a graph that cannot be read."""
    source, data = pair.source.exported, pair.source.data
    if source.path is None or target.path is None:
        return ()
    folder, whole, first = run.folder("woken"), data.inputs.whole, data.chunks[0]
    plan = Plan(data.seed, _ROUNDS, _CHILDREN, _PATIENCE, whole)
    arguments = {
        "paths": [str(source.path), str(target.path)], "calls": [{name: str(path) for name, path in first.arrays.items()}],
        "ranges": {name: asdict(taken) for name, taken in ranges.items()}, "plan": asdict(plan), "folder": str(folder),
    }  # fmt: skip
    request = CallFunction(framework("onnx", run.adapters).folder, "wake", arguments)
    try:
        answer = run.pool.worker("onnx").call("onnx", "comparing the weights of both graphs", request)
    except SafeconvertError:
        return ()
    found = [files for files in answer["samples"] if all(lies_in(folder, path) for path in files.values())]
    return tuple(reached_chunks(run, whole, found, load_files(first.arrays)))
