"""The first inputs of many, which are kept as files, and the rest, which passes by once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from safeconvert.inputs.interface import Array, InputSet
from safeconvert.inputs.preprocessing import Preprocessing
from safeconvert.inputs.store import Chunk

_CHUNK = 1 << 18  # bytes of a chunk of small samples
_MOST = 256  # samples of a chunk, whatever their size


@dataclass(frozen=True)
class First:
    """The first samples of a set.

    Attributes:
        all: the set.
        count: how many of them.
    """

    all: InputSet
    count: int

    @property
    def names(self) -> tuple[str, ...]:
        """The model's inputs."""
        return self.all.names

    @property
    def origin(self) -> str:
        """Where all of them come from."""
        return self.all.origin

    @property
    def kinds(self) -> tuple[str, ...]:
        """What sorts of samples there are."""
        return self.all.kinds

    @property
    def preprocessing(self) -> Preprocessing | None:
        """What was done to images."""
        return self.all.preprocessing

    @property
    def labels(self) -> tuple[int | None, ...] | None:
        """Their labels."""
        found = self.all.labels
        return None if found is None else found[: self.count]

    @property
    def whole(self) -> bool:
        """Whether a sample is a whole call."""
        return self.all.whole

    def digest(self, at: Path | None = None) -> str:
        """SHA-256 of all of them, as they lie on disk."""
        return self.all.digest(at)

    def chunk(self, start: int, stop: int) -> dict[str, Array]:
        """Samples start..stop."""
        return self.all.chunk(start, stop)


@dataclass(frozen=True)
class Rest:
    """Samples behind the first ones, in chunks whose borders do not depend on which part of them is meant.

    Attributes:
        inputs: the whole set.
        first: how many come before.
        size: samples of a chunk.
        chunks: numbers of the first chunk and of one past the last.
        part: which part of how many this is; None for all.
    """

    inputs: InputSet
    first: int
    size: int
    chunks: tuple[int, int]
    part: tuple[int, int] | None = None

    @property
    def start(self) -> int:
        """Number of the first sample."""
        return self.first + self.chunks[0] * self.size

    @property
    def stop(self) -> int:
        """One past the last."""
        return min(self.inputs.count, self.first + self.chunks[1] * self.size)

    def borders(self) -> Iterable[tuple[int, int]]:
        """Numbers of the first sample and of one past the last, chunk by chunk."""
        for start in range(self.start, self.stop, self.size):
            yield start, min(start + self.size, self.stop)


def rest_of(inputs: InputSet, first: int, least: int, part: tuple[int, int] | None) -> Rest:
    """What comes behind the first samples, or a part of it.

    Args:
        inputs: the whole set.
        first: how many come before; fewer than there are.
        least: samples of a chunk at least, where each is large.
        part: number from 1, and of how many; the parts differ by a chunk at most, and may be empty.
    """
    size = 1
    if not inputs.whole:
        bytes_each = sum(array.nbytes for array in inputs.chunk(0, 1).values())
        size = max(least, min(_MOST, _CHUNK // max(1, bytes_each)))
    chunks = -(-(inputs.count - first) // size)
    number, of = part or (1, 1)
    return Rest(inputs, first, size, (chunks * (number - 1) // of, chunks * number // of), part)


def all_first(inputs: InputSet) -> Rest:
    """Nothing behind the first samples, which are all."""
    return Rest(inputs, inputs.count, 1 if inputs.whole else _MOST, (0, 0))


class SampleDigest:
    """SHA-256 over the bytes of samples as they are fed, one after the other, each input by input with its name."""

    def __init__(self) -> None:
        """Of no samples."""
        self._total = hashlib.sha256()

    def add(self, arrays: Mapping[str, Array]) -> None:
        """More samples, along axis 0."""
        for row in range(len(next(iter(arrays.values())))):
            for name, array in arrays.items():
                self._total.update(name.encode() + np.ascontiguousarray(array[row]).tobytes())

    @property
    def hex(self) -> str:
        """Of all so far."""
        return self._total.hexdigest()


def chunks_digest(chunks: Iterable[Chunk]) -> str:
    """Of the samples of chunks, as they were written out."""
    digest = SampleDigest()
    for chunk in chunks:
        arrays = {name: np.load(path, mmap_mode="r", allow_pickle=False) for name, path in chunk.arrays.items()}
        digest.add({name: array[None] if chunk.whole else array for name, array in arrays.items()})
    return digest.hex


def samples_digest(rest: Rest) -> str:
    """Of the first samples and of the rest, read once more."""
    digest = SampleDigest()
    for start in range(0, rest.first, rest.size):
        digest.add(rest.inputs.chunk(start, min(start + rest.size, rest.first)))
    for start, stop in rest.borders():
        digest.add(rest.inputs.chunk(start, stop))
    return digest.hex
