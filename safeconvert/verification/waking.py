"""Inputs that show what is another number in one of two models, searched on their ONNX forms; see `graph.sleeping` and `graph.differing_bounds`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

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

_CALLS = 16  # from which is searched
_ROUNDS, _CHILDREN, _PATIENCE = 48, 12, 12


@dataclass(frozen=True)
class Woken:
    """What was found.

    Attributes:
        chunks: such inputs, numbered from 0; () where no weights differ in a few numbers alone, and no bounds do.
        missed: bounds that are other numbers in the target, and that no input lies between: the target's node, and a line.
    """

    chunks: tuple[Chunk, ...] = ()
    missed: tuple[tuple[str, str], ...] = ()


def waking(run: Run, pair: Pair, target: Export, ranges: Mapping[str, Range]) -> Woken:
    """Such inputs. Never raises for a graph that cannot be read."""
    source, data = pair.source.exported, pair.source.data
    if source.path is None or target.path is None:
        return Woken()
    folder, whole, first = run.folder("woken"), data.inputs.whole, data.chunks[0]
    calls = [chunk for chunk in data.chunks[: _CALLS if whole else 1] if _shapes(chunk) == _shapes(first)]
    plan = Plan(data.seed, _ROUNDS, _CHILDREN, _PATIENCE, whole)
    arguments = {
        "paths": [str(source.path), str(target.path)], "calls": [{name: str(path) for name, path in chunk.arrays.items()} for chunk in calls],
        "ranges": {name: asdict(taken) for name, taken in ranges.items()}, "plan": asdict(plan), "folder": str(folder),
    }  # fmt: skip
    request = CallFunction(framework("onnx", run.adapters).folder, "wake", arguments)
    try:
        answer = run.pool.worker("onnx").call("onnx", "comparing the weights of both graphs", request)
    except SafeconvertError:
        return Woken()
    found = [files for files in answer["samples"] if all(lies_in(folder, path) for path in files.values())]
    missed = tuple((str(node), str(line)) for node, line in answer.get("missed", ()))
    return Woken(tuple(reached_chunks(run, whole, found, load_files(first.arrays))), missed)


def _shapes(chunk: Chunk) -> list[tuple[int, ...]]:
    return [array.shape for array in load_files(chunk.arrays).values()]
