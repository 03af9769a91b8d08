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
    what the models gave on these. At most four are kept (one where each is a whole call), and none where they are larger than 8 MiB.
    """
    searched = verification.searched
    if searched is None or searched.figures is None:
        return {}, {}
    parts = _parts(searched)
    if sum(array.nbytes for arrays in parts.values() for array in arrays.values()) > _BYTES:
        return {"searched": {"count": searched.figures.samples, "kept": 0, "files": []}}, {}
    files = {f"searched/{name}.npz": archive_bytes(arrays) for name, arrays in parts.items()}
    kept = min(_kept(searched), searched.figures.samples)
    return {"searched": {"count": searched.figures.samples, "kept": kept, "files": sorted(files)}}, files


def _kept(searched: Searched) -> int:
    return 1 if any(chunk.whole for chunk in searched.chunks) else _KEPT  # calls need not be of one shape


def _parts(searched: Searched) -> dict[str, dict[str, np.ndarray]]:
    if searched.source is None or searched.target is None:
        return {}
    found: dict[str, dict[str, np.ndarray]] = {}
    for part, sides in (
        ("inputs", [chunk.arrays for chunk in searched.chunks]),
        ("source", searched.source.outputs),
        ("target", searched.target.outputs),
    ):
        rows: dict[str, list[np.ndarray]] = {}
        for number in searched.numbers[: _kept(searched)]:
            place = next(n for n, chunk in enumerate(searched.chunks) if chunk.start <= number < chunk.stop)
            chunk = searched.chunks[place]
            for name, array in load_files(sides[place]).items():
                apart = chunk.whole or array.shape[:1] != (chunk.stop - chunk.start,)
                rows.setdefault(name, []).append(array if apart else array[number - chunk.start])
        found[part] = {name: np.stack(arrays) for name, arrays in rows.items()}
    return found
