"""Write samples out as `.npy` chunks, which is how they travel to workers."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from safeconvert.core.arrays import save_array
from safeconvert.errors import UnusableInput
from safeconvert.inputs.interface import Array, InputSet


def write_arrays(arrays: Mapping[str, np.ndarray[Any, Any]], path: Path) -> Path:
    """Write arrays by name as an `.npz`; np.savez would not take one named "file"."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(member, np.ascontiguousarray(array), allow_pickle=False)
    return path


def archive_bytes(arrays: Mapping[str, np.ndarray[Any, Any]]) -> bytes:
    """Arrays by name as the bytes of an `.npz`; equal arrays, equal bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, np.ascontiguousarray(array), allow_pickle=False)
            info = zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, member.getvalue())
    return buffer.getvalue()


@dataclass(frozen=True)
class Chunk:
    """Samples start..stop, one `.npy` file for each input.

    Attributes:
        whole: one sample that is a whole call; neither its arrays nor a model's outputs for it have a sample axis.
    """

    start: int
    stop: int
    arrays: Mapping[str, Path]
    whole: bool = False


def picked(chunks: Sequence[Chunk], numbers: Iterable[int], folder: Path) -> list[Chunk]:
    """Chunks that hold samples of these numbers only, numbered from 0 in the order of the chunks; whole calls stay as they are.

    Args:
        chunks: all samples.
        numbers: of those that are wanted.
        folder: where the files of chunks that are cut go.
    """
    wanted, found, start = {int(number) for number in numbers}, [], 0
    for chunk in chunks:
        rows = [number - chunk.start for number in range(chunk.start, chunk.stop) if number in wanted]
        if not rows:
            continue
        files = dict(chunk.arrays)
        if not chunk.whole and len(rows) < chunk.stop - chunk.start:
            for position, (name, path) in enumerate(chunk.arrays.items()):
                files[name] = folder / f"picked-{chunk.start:07d}-{position}.npy"
                save_array(files[name], np.load(path, mmap_mode="r", allow_pickle=False)[rows])
        found.append(Chunk(start, start + len(rows), files, chunk.whole))
        start += len(rows)
    return found


def samples(chunk: Chunk, numbers: Iterable[int]) -> list[dict[str, np.ndarray[Any, Any]]]:
    """Samples of a chunk, of these numbers, by input name; a whole call is one."""
    arrays = {name: np.load(path, allow_pickle=False) for name, path in chunk.arrays.items()}
    if chunk.whole:
        return [arrays for _ in numbers]
    return [{name: array[number - chunk.start] for name, array in arrays.items()} for number in numbers]


def saved(folder: Path, prefix: str, arrays: Mapping[str, np.ndarray[Any, Any]]) -> dict[str, Path]:
    """Arrays as a `.npy` file each, by name."""
    files = {}
    for position, (name, array) in enumerate(arrays.items()):
        files[name] = folder / f"{prefix}-{position}.npy"
        save_array(files[name], array)
    return files


_LARGE = 50_000  # values of a sample past which a call takes fewer
_FEWER = 4


def borders(count: int, most: int, values: int) -> Iterator[tuple[int, int]]:
    """Where each chunk of samples begins and ends.

    A runtime asks the kernel for what a call's tensors take, page by page, and what it computes next is out of the caches by then: a MobileNet's
    first call of 32 images takes twice the processor time of four calls of 8. So large samples come in calls of a quarter of `most`. The last call
    takes as many as of small ones, so that no size of a call goes untried.

    Args:
        count: of samples.
        most: samples in a chunk.
        values: of the largest input of a sample.
    """
    small = max(1, most // _FEWER) if values > _LARGE else most
    last = max(0, count - most) if small < most else count
    for start in range(0, last, small):
        yield start, min(start + small, last)
    if last < count:
        yield last, count


def materialise(inputs: InputSet, folder: Path, chunk_size: int, advance: Callable[[int], None]) -> tuple[Chunk, ...]:
    """Decode and write all samples, one chunk in memory at a time.

    Args:
        inputs: the samples.
        folder: where the files go.
        chunk_size: samples in a chunk at most, see `borders`. Whole calls are a chunk each.
        advance: told how many more samples are done.

    Raises:
        UnusableInput: a sample cannot be read, or the disk is full.
    """
    size = 1 if inputs.whole else chunk_size
    values = max(array.size for array in inputs.chunk(0, 1).values()) if size > 1 and inputs.count > size else 0
    chunks = []
    for start, stop in borders(inputs.count, size, values):
        chunks.append(written_chunk(inputs.chunk(start, stop), start, stop, folder, inputs.whole))
        advance(stop - start)
    return tuple(chunks)


def written_chunk(arrays: Mapping[str, Array], start: int, stop: int, folder: Path, whole: bool) -> Chunk:
    """Samples start..stop, along axis 0 of arrays, as files. Raises UnusableInput where the disk is full."""
    files = {}
    for position, (name, array) in enumerate(arrays.items()):
        files[name] = folder / f"in-{start:07d}-{position}.npy"
        try:
            save_array(files[name], array[0] if whole else array)
        except OSError as error:
            raise UnusableInput(
                f"{folder}: cannot be written: {error}", "free some space, or set TMPDIR to another disk"
            ) from error
    return Chunk(start, stop, files, whole)
