"""The inputs that a search found source and target to differ on, as arrays: whoever has them sees the fault without a search."""

from __future__ import annotations

from typing import Any

import numpy as np

from safeconvert.inputs.store import archive_bytes
from safeconvert.verification.types import Searched, Verification
from safeconvert.workers.session import load_files

_KEPT = 4
_BYTES = 8 << 20


def counterexamples(verification: Verification) -> tuple[dict[str, Any], dict[str, bytes]]:
    """`searched` for the evidence (how many are kept, and in which files), and the files by name; both empty where none was found.

    `searched/inputs.npz` holds the source's inputs by name, samples along axis 0; `searched/source.npz` and `searched/target.npz`
    what the models gave on these. At most four are kept, and none where they are larger than 8 MiB.
    """
    searched = verification.searched
    if searched is None or searched.figures is None:
        return {}, {}
    parts = _parts(searched)
    if sum(array.nbytes for arrays in parts.values() for array in arrays.values()) > _BYTES:
        return {"searched": {"count": searched.figures.samples, "kept": 0, "files": []}}, {}
    files = {f"searched/{name}.npz": archive_bytes(arrays) for name, arrays in parts.items()}
    kept = min(_KEPT, searched.figures.samples)
    return {"searched": {"count": searched.figures.samples, "kept": kept, "files": sorted(files)}}, files


def _parts(searched: Searched) -> dict[str, dict[str, np.ndarray]]:
    chunk, source, target = searched.chunk, searched.source, searched.target
    if chunk is None or source is None or target is None:
        return {}
    rows = np.asarray(searched.numbers[:_KEPT], dtype=np.int64)
    count = chunk.stop - chunk.start
    named = {"inputs": chunk.arrays, "source": source.outputs[0], "target": target.outputs[0]}
    return {
        part: {name: array[rows] if array.shape[:1] == (count,) else array for name, array in load_files(files).items()}
        for part, files in named.items()
    }
