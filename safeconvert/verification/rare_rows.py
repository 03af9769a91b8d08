"""Inputs that read the rows in which the tables of source and target differ, by their ONNX forms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from safeconvert.conversion.models import Export
from safeconvert.graph.mutate import Range
from safeconvert.inputs.interface import Array
from safeconvert.verification.graph_pair import of_both
from safeconvert.workers.run import Run

_INSIDE = 0.5  # between a whole number and the next, so that a real one is cast to it


def rare_rows(run: Run, source: Export, target: Export) -> tuple[int, ...]:
    """Numbers of the rows; () where there are none, or a side has no ONNX form. Never raises for a graph that cannot be read."""
    return of_both(run, "other_rows", "comparing the tables of both graphs", source, target)


def reading(
    rows: Sequence[int], like: Mapping[str, Array], ranges: Mapping[str, Range], count: int
) -> list[dict[str, Array]]:
    """At most so many samples, in each of which one input holds numbers of those rows: as they are, and counted from the least number seen.

    Args:
        rows: numbers of rows.
        like: a sample; of one without integers, real numbers are replaced, to be cast to them.
        ranges: what the values of each input are; an integer is none beyond it.
        count: at most.
    """
    made = []
    whole = [name for name, array in like.items() if array.dtype.kind in "iu" and array.dtype.itemsize > 1]
    for name in whole or [name for name, array in like.items() if array.dtype.kind == "f"]:
        array, taken = like[name], ranges[name]
        numbers = np.asarray(rows)
        for values in (numbers, numbers + taken.low) if whole else (numbers + _INSIDE,):
            kept = values[(values >= taken.low) & (values < taken.high)] if whole else values
            for start in range(0, len(kept), max(1, array.size)):
                part = np.resize(kept[start : start + array.size], array.shape)
                made.append({**like, name: part.astype(array.dtype)})
    return made[:count] if all(array.size for array in like.values()) else []
