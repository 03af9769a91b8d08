"""Write samples out as `.npy` chunks, which is how they travel to workers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from safeconvert.errors import UnusableInput
from safeconvert.inputs.interface import InputSet


@dataclass(frozen=True)
class Chunk:
    """Samples start..stop, one `.npy` file for each input."""

    start: int
    stop: int
    arrays: Mapping[str, Path]


def materialise(inputs: InputSet, folder: Path, chunk_size: int, advance: Callable[[int], None]) -> tuple[Chunk, ...]:
    """Decode and write all samples, one chunk in memory at a time.

    Args:
        inputs: the samples.
        folder: where the files go.
        chunk_size: samples in a chunk; the last may hold fewer.
        advance: told how many more samples are done.

    Raises:
        UnusableInput: a sample cannot be read, or the disk is full.
    """
    chunks = []
    for start in range(0, inputs.count, chunk_size):
        stop = min(start + chunk_size, inputs.count)
        files = {}
        for position, (name, array) in enumerate(inputs.chunk(start, stop).items()):
            files[name] = folder / f"in-{start:07d}-{position}.npy"
            try:
                np.save(files[name], array, allow_pickle=False)
            except OSError as error:
                raise UnusableInput(
                    f"{folder}: cannot be written: {error}", "free some space, or set TMPDIR to another disk"
                ) from error
        chunks.append(Chunk(start, stop, files))
        advance(stop - start)
    return tuple(chunks)
