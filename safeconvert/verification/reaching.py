"""Inputs that exercise what made-up ones leave out, searched on the source's ONNX form; see `graph.reach`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from safeconvert.core.arrays import save_array
from safeconvert.core.signature import Signature
from safeconvert.graph.mutate import Range
from safeconvert.graph.reach_plan import Plan
from safeconvert.inputs.generate import GeneratedInputs
from safeconvert.inputs.store import Chunk
from safeconvert.registry.manifest import framework
from safeconvert.workers.requests import CallFunction
from safeconvert.workers.run import Run

_ROUNDS, _ROUNDS_OF_LARGE = 48, 6
_CHILDREN, _CHILDREN_OF_LARGE = 12, 4
_PATIENCE = 12  # rounds without progress
_MOST = 48  # samples that are kept


@dataclass(frozen=True)
class SearchRequest:
    """What is searched for.

    Attributes:
        path: of the source's ONNX form.
        signature: of the source.
        like: samples as they are made up for it.
        large: samples are so large that fewer are tried.
        whole: a sample is a whole call.
    """

    path: Path
    signature: Signature
    like: GeneratedInputs
    large: bool
    whole: bool


def input_ranges(like: GeneratedInputs) -> dict[str, Range]:
    """By input, what its values are: as large as given ones, and integers in their range."""
    found = {}
    for spec in like.specs:
        look, taken = like.looks.get(spec.name), like.ranges.get(spec.name)
        low, high = (taken.low, taken.high) if taken is not None else (0, 2)
        found[spec.name] = Range(look.deviation if look is not None else 1.0, low, high)
    return found


def ask_to_reach(
    run: Run, request: SearchRequest, base: Sequence[Chunk], tried: Sequence[Chunk]
) -> list[Mapping[str, str]]:
    """The files of samples that exercise what the calls of `base` leave out, some perhaps of those to try first; see `graph.reach`.

    Raises:
        AdapterFailure: the worker dies of it.
    """
    folder = run.folder("reached")
    rounds, children = (_ROUNDS_OF_LARGE, _CHILDREN_OF_LARGE) if request.large else (_ROUNDS, _CHILDREN)
    plan = Plan(request.like.seed, rounds, children, _PATIENCE, request.whole)
    call = CallFunction(
        framework("onnx", run.adapters).folder,
        "reach",
        {
            "path": str(request.path),
            "groups": [
                [{s.name: str(chunk.arrays[s.name]) for s in request.signature.inputs} for chunk in chunks]
                for chunks in (base, tried)
            ],
            "ranges": {name: asdict(taken) for name, taken in input_ranges(request.like).items()},
            "plan": asdict(plan),
            "folder": str(folder),
        },
    )
    answer = run.pool.worker("onnx").call("onnx", f"looking for inputs of {request.path.name}", call)
    return [files for files in answer["samples"] if all(lies_in(folder, path) for path in files.values())]


def lies_in(folder: Path, path: str) -> bool:
    """Whether a file lies where the worker was to write it."""
    return Path(path).parent == folder and not Path(path).is_symlink() and Path(path).is_file()


def reached_chunks(
    run: Run, whole: bool, found: Sequence[Mapping[str, str]], like: Mapping[str, np.ndarray]
) -> list[Chunk]:
    """The samples of an answer as chunks of the run's own, numbered from 0; what a worker may write is read once, and copied.

    Args:
        run: the surroundings.
        whole: a sample is a whole call.
        found: files that the worker wrote.
        like: arrays of other samples, whose shapes and types these have.
    """
    samples = [{name: np.load(path, allow_pickle=False) for name, path in files.items()} for files in found]
    shapes = {name: (array.shape if whole else array.shape[1:], array.dtype) for name, array in like.items()}
    fitting = [one for one in samples if {name: (array.shape, array.dtype) for name, array in one.items()} == shapes]
    fitting = fitting[:_MOST]
    if not fitting:
        return []
    folder = run.kept("reached")
    calls = fitting if whole else [{name: np.stack([one[name] for one in fitting]) for name in fitting[0]}]
    chunks, start = [], 0
    for arrays in calls:
        files = {}
        for index, (name, array) in enumerate(arrays.items()):
            files[name] = folder / f"in-{start:07d}-{index}.npy"
            save_array(files[name], array)
        count = 1 if whole else len(fitting)
        chunks.append(Chunk(start, start + count, files, whole))
        start += count
    return chunks
