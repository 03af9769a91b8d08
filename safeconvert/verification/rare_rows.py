"""Inputs that read the rows in which the tables of source and target differ, by their ONNX forms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

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
    """At most so many samples, in each of which one input holds numbers of those rows, and then all do: as they are, and counted from the least number seen.

    Args:
        rows: numbers of rows.
        like: a sample; of one without integers, real numbers are replaced, to be cast to them.
        ranges: what the values of each input are; an integer is none beyond it.
        count: at most.
    """
    if not all(array.size for array in like.values()):
        return []
    whole = [name for name, array in like.items() if array.dtype.kind in "iu" and array.dtype.itemsize > 1]
    names = whole or [name for name, array in like.items() if array.dtype.kind == "f"]
    known = {name: _numbers(rows, ranges[name], bool(whole)) for name in names}
    made = []
    for name, several in known.items():
        made += [{**like, name: part} for kept in several for part in _parts(kept, like[name])]
    return [*made, *_together(known, like, count - len(made))][:count]


def _together(known: Mapping[str, list[Array]], like: Mapping[str, Array], count: int) -> Iterator[dict[str, Array]]:
    """At most so many samples in which all inputs hold numbers of rows: what two rows give together neither need give alone."""
    if len(known) < 2 or not all(several and len(several[0]) for several in known.values()):
        return
    made = (
        {**like, **dict(zip(known, parts, strict=True))}
        for shift in range(max(len(several[0]) for several in known.values()))
        for parts in zip(
            *(
                _parts(np.roll(several[0], shift * place), like[name])
                for place, (name, several) in enumerate(known.items())
            ),
            strict=False,
        )
    )
    yield from islice(made, max(0, count))


def _numbers(rows: Sequence[int], taken: Range, whole: bool) -> list[Array]:
    """Those rows as an input says them, in each way that there is."""
    numbers: Array = np.asarray(rows)
    if not whole:
        return [numbers + _INSIDE]
    return [values[(values >= taken.low) & (values < taken.high)] for values in (numbers, numbers + taken.low)]


def _parts(kept: Array, array: Array) -> Iterator[Array]:
    """An input with those numbers, as many times as it takes to hold all."""
    for start in range(0, len(kept), array.size):
        yield np.resize(kept[start : start + array.size], array.shape).astype(array.dtype)
