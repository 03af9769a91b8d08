"""Some of a run's inputs with the source's outputs on them, for questions that need no more."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from safeconvert.conversion.models import Evaluated
from safeconvert.core.arrays import save_array
from safeconvert.inputs.interface import InputSet
from safeconvert.inputs.store import Chunk
from safeconvert.verification.source import Source
from safeconvert.workers.run import Run
from safeconvert.workers.session import load_files

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Subset:
    """Chunks numbered from 0, and the source's outputs on them."""

    chunks: tuple[Chunk, ...]
    expected: Evaluated

    def first(self, count: int) -> Subset:
        """The first chunks only."""
        return Subset(self.chunks[:count], Evaluated(self.expected.signature, self.expected.outputs[:count]))


def subset(run: Run, source: Source, numbers: Sequence[int], first: int) -> Subset:
    """The samples of these numbers as the source was fed them.

    Args:
        run: the surroundings.
        source: evaluated.
        numbers: of the samples, ascending.
        first: size of the first chunk; the others are of the configured size.
    """
    inputs: dict[str, list[Array]] = {}
    outputs: dict[str, list[Array]] = {}
    for chunk, files in zip(source.data.chunks, source.outputs.outputs, strict=True):
        rows = [int(number) - chunk.start for number in numbers if chunk.start <= number < chunk.stop]
        for held, arrays in ((inputs, load_files(chunk.arrays)), (outputs, load_files(files))):
            for name, array in arrays.items():
                held.setdefault(name, []).append(array[rows])
    joined, expected = ({name: np.concatenate(rows) for name, rows in held.items()} for held in (inputs, outputs))
    count = len(numbers)
    cuts = [0, *range(min(first, count), count, run.settings.inputs.chunk), count]
    spans = [(start, stop) for start, stop in itertools.pairwise(cuts) if start < stop]
    folder = run.folder("subset")
    chunks = tuple(Chunk(a, b, _saved(folder, f"in-{a}", joined, slice(a, b))) for a, b in spans)
    kept = tuple(_saved(folder, f"out-{a}", expected, slice(a, b)) for a, b in spans)
    return Subset(chunks, Evaluated(source.outputs.signature, kept))


def refed(run: Run, one: Subset, inputs: InputSet, numbers: Sequence[int]) -> Subset:
    """The first chunk of a subset with the same samples read otherwise, for instance under another preprocessing."""
    chosen = numbers[: one.chunks[0].stop]
    rows = [inputs.chunk(int(number), int(number) + 1) for number in chosen]
    arrays = {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}
    files = _saved(run.folder("subset"), "in", arrays, slice(None))
    return Subset((Chunk(0, len(rows), files),), one.first(1).expected)


def _saved(folder: Path, prefix: str, arrays: Mapping[str, Array], rows: slice) -> dict[str, Path]:
    files = {}
    for position, (name, array) in enumerate(arrays.items()):
        files[name] = folder / f"{prefix}-{position}.npy"
        save_array(files[name], array[rows])
    return files
