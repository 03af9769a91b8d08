"""Which samples count, by what the source gives for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from safeconvert.compare.output_pair import is_finite
from safeconvert.conversion.models import Evaluated
from safeconvert.inputs.store import Chunk
from safeconvert.workers.session import load_files


def finite_samples(outputs: Evaluated, chunks: Sequence[Chunk]) -> np.ndarray:
    """Numbers of the samples for which every output is finite."""
    kept = []
    for chunk, files in zip(chunks, outputs.outputs, strict=True):
        finite = np.ones(chunk.stop - chunk.start, dtype=bool)
        for array in load_files(files).values():
            if chunk.whole:
                finite &= bool(is_finite(array).all())
            elif array.shape[:1] == finite.shape and np.issubdtype(array.dtype, np.inexact):
                finite &= is_finite(array).reshape(len(array), -1).all(axis=1)
        kept.append(np.arange(chunk.start, chunk.stop)[finite])
    return np.concatenate(kept)


def declared_samples(outputs: Evaluated, chunks: Sequence[Chunk], given: Iterable[Mapping[str, Path]]) -> np.ndarray:
    """Numbers of the made-up samples on which the outputs have the sizes that the model declares, and keeps on given samples.

    Args:
        outputs: on the made-up samples.
        chunks: the made-up samples.
        given: outputs on the given ones, chunk by chunk.

    An input may be a shape or a list of axes: made up, it asks for outputs that the model says it does not give.
    """
    declared = {spec.name: spec.shape for spec in outputs.signature.outputs}
    promised = dict(declared)
    for files in given:
        promised = {name: shape for name, shape in promised.items() if _keeps(files[name], shape, chunks[0].whole)}
    kept = [
        np.arange(chunk.start, chunk.stop)
        for chunk, files in zip(chunks, outputs.outputs, strict=True)
        if all(_keeps(files[name], shape, chunk.whole) for name, shape in promised.items() if name in files)
    ]
    return np.concatenate([np.zeros(0, dtype=np.int64), *kept])


def _keeps(path: Path, declared: Sequence[int | None], whole: bool) -> bool:
    """Whether an array has the declared sizes; the first is the number of samples unless the array is a whole call's."""
    shape = np.load(path, mmap_mode="r", allow_pickle=False).shape
    first = 0 if whole else 1
    return len(shape) == len(declared) and all(
        size is None or size == own for size, own in zip(declared[first:], shape[first:], strict=True)
    )
