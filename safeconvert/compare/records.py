"""What is kept of each sample that is compared in passing: which sample it is, and what came of it; some 20 bytes.

A sample counts once however often it stands in the inputs, and in whichever part: so parts of one set are merged by their
records, and not by their counts.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from enum import IntFlag
from pathlib import Path
from typing import IO, Any

import numpy as np

from safeconvert.compare.discrepancy import Accumulator
from safeconvert.compare.output_pair import Array
from safeconvert.compare.tally import LISTED, Tally
from safeconvert.errors import UnusableInput

_DIGEST = 16  # bytes of a SHA-256; two samples of one count as one, which claims less
_BLOCK = 1 << 15  # records that are looked at at once
_BUCKETS = 256


class Kind(IntFlag):
    """What a sample is."""

    FIRST = 1
    """One of the first, which are compared as ever: it does not count here, nor does one that equals it."""
    LEFT_OUT = 2
    """The source is not finite, or rounding alone, on this generated input."""
    ROUNDED = 4
    """Beyond tolerance by rounding alone."""


class Found(IntFlag):
    """What came of one output of a sample."""

    AGREE = 1
    TIE = 2
    WITHIN = 4
    FINITE = 8
    COMPARABLE = 16


def record_type(outputs: int) -> np.dtype[Any]:
    """A record of a sample with so many outputs."""
    return np.dtype([("digest", "u8", (2,)), ("kind", "u1"), ("found", "u1", (outputs,))])


def sample_digests(arrays: Mapping[str, Array], count: int) -> Array:
    """Which sample each is, by all its inputs' bytes, (count, 2) uint64; the arrays have the samples along axis 0."""
    digests = bytearray()
    for row in range(count):
        total = hashlib.sha256()
        for array in arrays.values():
            total.update(np.ascontiguousarray(array[row]).tobytes())
        digests += total.digest()[:_DIGEST]
    return np.frombuffer(bytes(digests), "<u8").reshape(count, 2)


def found_of(figures: Accumulator) -> Array:
    """`Found` of each sample and output that an accumulator holds, (n, outputs) uint8."""
    columns = []
    for each in figures.each().values():
        flags = ((each.agree, Found.AGREE), (each.tie, Found.TIE), (each.within, Found.WITHIN))
        more = ((each.finite, Found.FINITE), (each.comparable, Found.COMPARABLE))
        columns.append(sum(np.asarray(held, np.uint8) * int(flag) for held, flag in (*flags, *more)))
    return np.stack(columns, axis=1).astype(np.uint8)


def start_records(file: IO[bytes], outputs: int, count: int) -> None:
    """Write the head of an `.npy` file of so many records, which are then appended."""
    descr = np.lib.format.dtype_to_descr(record_type(outputs))
    np.lib.format.write_array_header_1_0(file, {"descr": descr, "fortran_order": False, "shape": (count,)})


def open_records(path: Path, outputs: int) -> Array:
    """The records of a file, mapped. Raises UnusableInput for a file of anything else."""
    try:
        found = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError, SyntaxError, TypeError, OverflowError) as error:
        raise UnusableInput(f"{path}: holds no records: {error}") from error
    if not isinstance(found, np.ndarray) or found.dtype != record_type(outputs) or found.ndim != 1:
        raise UnusableInput(f"{path}: holds no records of {outputs} outputs")
    return found


def tally(parts: Sequence[tuple[int, Array]], outputs: int, folder: Path | None = None) -> Tally:
    """Count the distinct samples of all parts, in memory that does not grow with their number.

    Args:
        parts: the number of the first sample of each, and its records; ascending and disjoint.
        outputs: of each sample.
        folder: where the records are sorted by digest meanwhile; None for the system's.
    """
    kind = np.dtype([("number", "i8"), *record_type(outputs).descr])
    total = Tally(by_output=(0,) * outputs)
    with tempfile.TemporaryDirectory(dir=folder, prefix="tally-") as place:
        paths = [Path(place, f"{bucket:03d}") for bucket in range(_BUCKETS)]
        for block in _blocks(parts, kind):
            bucket = (block["digest"][:, 0] % _BUCKETS).astype(np.int64)
            order = np.argsort(bucket, kind="stable")
            borders = np.searchsorted(bucket[order], np.arange(_BUCKETS + 1))
            for path, start, stop in zip(paths, borders, borders[1:], strict=False):
                if stop > start:
                    with path.open("ab") as file:
                        file.write(block[order[start:stop]].tobytes())
        for path in paths:
            if path.exists():
                total = total.merge(_counted(np.fromfile(path, kind)))
    return total


def _blocks(parts: Sequence[tuple[int, Array]], kind: np.dtype[Any]) -> Iterator[Array]:
    for first, records in parts:
        for start in range(0, len(records), _BLOCK):
            part = records[start : start + _BLOCK]
            block = np.empty(len(part), kind)
            block["number"] = np.arange(first + start, first + start + len(part))
            for name in ("digest", "kind", "found"):
                block[name] = part[name]
            yield block


def _counted(records: Array) -> Tally:
    """The samples of records that hold all that have a digest in common with one of them."""
    order = np.lexsort((records["number"], records["digest"][:, 0], records["digest"][:, 1]))
    records = records[order]
    known = np.zeros(len(records), dtype=bool)
    known[1:] = (records["digest"][1:] == records["digest"][:-1]).all(axis=1)
    first = (records["kind"] & Kind.FIRST) > 0
    left_out = ((records["kind"] & Kind.LEFT_OUT) > 0) & ~first
    kept = records[~known & ~first & ~left_out]
    found, rounded = kept["found"], (kept["kind"] & Kind.ROUNDED) > 0
    agree, within = (found & Found.AGREE) > 0, (found & Found.WITHIN) > 0
    comparable, finite = (found & Found.COMPARABLE) > 0, (found & Found.FINITE) > 0
    disagree = (~agree).any(axis=1) & ~rounded
    beyond, unlike = (~within).any(axis=1), (~comparable).any(axis=1)
    tie = ((found & Found.TIE) > 0).any(axis=1)
    return Tally(
        samples=len(kept),
        disagreements=int(disagree.sum()),
        ties=int((tie & ~disagree).sum()),
        nonfinite=int(unlike.sum()),
        propagated=int(((~finite).any(axis=1) & ~unlike).sum()),
        beyond_tolerance=int(beyond.sum()),
        rounded=int(rounded.sum()),
        failing=int(((disagree | beyond) & ~rounded).sum()),
        by_output=tuple(map(int, (~agree & ~rounded[:, None]).sum(axis=0))),
        disagreeing=tuple(np.sort(kept["number"][disagree])[:LISTED].tolist()),
        left_out=int((left_out & ~known).sum()),
        repeated=int((known & ~first).sum()),
    )
