"""Feed chunk files to an opened model, in the batches that it accepts. Runs inside a worker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from safeconvert.core.arrays import save_array
from safeconvert.core.signature import Signature

Arrays = dict[str, np.ndarray[Any, Any]]


class Model(Protocol):
    """What a framework adapter's `load` returns."""

    def signature(self) -> Signature:
        """Inputs and outputs as the file declares them; batch first."""
        ...

    def predict(self, feeds: Arrays) -> Arrays:
        """Outputs by name for one batch, in inference mode."""
        ...


def run_chunks(model: Model, chunks: Sequence[Mapping[str, str]], folder: str) -> list[dict[str, str]]:
    """Run a model over chunk files.

    Args:
        model: an opened model.
        chunks: for each chunk the `.npy` file of each input, samples along axis 0.
        folder: where the outputs are written.

    Returns:
        For each chunk the `.npy` file of each output, in the order of the chunks.
    """
    results = []
    for number, chunk in enumerate(chunks):
        feeds = {name: np.load(path, allow_pickle=False) for name, path in chunk.items()}
        outputs = predict_any(model, feeds)
        files = {}
        for position, (name, array) in enumerate(outputs.items()):
            path = Path(folder) / f"out-{number:05d}-{position}.npy"
            save_array(path, array)
            files[name] = str(path)
        results.append(files)
    return results


def predict_any(model: Model, feeds: Arrays) -> Arrays:
    """Outputs for any number of samples: a model with a fixed batch is fed slices of that size.

    A last slice that is too short is filled up with its last sample, and the surplus outputs are dropped. Outputs that have not as
    many rows as the slice are given whole, so that what comes of all slices has another number of rows than there are samples.
    """
    signature = model.signature()
    batch = fixed_batch(signature)
    if batch is None or _as_declared(signature, feeds):
        return model.predict(feeds)
    count = len(next(iter(feeds.values())))
    parts: list[Arrays] = []
    for start in range(0, count, batch):
        piece = {name: array[start : start + batch] for name, array in feeds.items()}
        missing = batch - len(next(iter(piece.values())))
        if missing:
            piece = {
                name: np.concatenate([array, np.repeat(array[-1:], missing, axis=0)]) for name, array in piece.items()
            }
        outputs = model.predict(piece)
        kept = batch - missing
        parts.append({name: array[:kept] if array.shape[:1] == (batch,) else array for name, array in outputs.items()})
    return {name: joined([part[name] for part in parts]) for name in parts[0]}


def joined(parts: Sequence[np.ndarray[Any, Any]]) -> np.ndarray[Any, Any]:
    """The outputs of several calls along the batch; a number (no dimension) of each call is one of a vector."""
    if len(parts) == 1:
        return parts[0]
    return np.concatenate(parts) if parts[0].ndim else np.stack(parts)


def _as_declared(signature: Signature, feeds: Arrays) -> bool:
    """Whether the feeds are one call as it is, so that there is nothing to cut."""
    return all(
        spec.name in feeds
        and len(spec.shape) == feeds[spec.name].ndim
        and all(own in (None, size) for own, size in zip(spec.shape, feeds[spec.name].shape, strict=True))
        for spec in signature.inputs
    )


def fixed_batch(signature: Signature) -> int | None:
    """The batch size that every input of a model demands, or None where any is free."""
    sizes = {spec.batch for spec in signature.inputs if spec.shape}
    fixed = {size for size in sizes if size is not None}
    return max(fixed) if fixed else None
