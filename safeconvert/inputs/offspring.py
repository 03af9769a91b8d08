"""The inputs of one round of a search: those that are farthest apart changed, and integers that go on where others ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from safeconvert.graph.mutate import Range, changed
from safeconvert.inputs.interface import Array

_GOLDEN = 0.6180339887498949  # multiples of it, modulo 1, leave no gap longer than 1.7 / how many there are
_SWEPT = 0.5  # share of a round that goes through integers one by one, where there are some
_STEEP = 2.0  # how much likelier the farthest are changed than the others


@dataclass(frozen=True)
class Elite:
    """A sample and how far apart the models are on it, as a share of what is allowed."""

    closeness: float
    sample: Mapping[str, Array]


def offspring(
    random: np.random.Generator, number: int, elites: Sequence[Elite], ranges: Mapping[str, Range], count: int
) -> list[dict[str, Array]]:
    """Samples made of others.

    Args:
        random: seeded by the round.
        number: of the round, from 0.
        elites: samples, the farthest apart first.
        ranges: what the values of each input are.
        count: how many samples are made.
    """
    first = elites[0].sample
    wide = [
        name for name, array in first.items() if array.dtype.kind in "iu" and array.dtype.itemsize > 1 and array.size
    ]
    swept = round(count * _SWEPT) if wide else 0
    made = [_swept(random, number * swept + index, _chosen(random, elites), wide, ranges) for index in range(swept)]
    while len(made) < count:
        one, two = _chosen(random, elites), elites[int(random.integers(len(elites)))].sample
        made.append(_child(random, one, two, ranges))
    return made


def _chosen(random: np.random.Generator, elites: Sequence[Elite]) -> Mapping[str, Array]:
    return elites[int(len(elites) * random.random() ** _STEEP)].sample


def _child(
    random: np.random.Generator, one: Mapping[str, Array], two: Mapping[str, Array], ranges: Mapping[str, Range]
) -> dict[str, Array]:
    """One sample with some of its inputs changed."""
    made = changed(random, [*one.values()], [two[name] for name in one], [ranges[name] for name in one])
    return dict(zip(one, made, strict=True))


def _swept(
    random: np.random.Generator,
    number: int,
    parent: Mapping[str, Array],
    wide: Sequence[str],
    ranges: Mapping[str, Range],
) -> dict[str, Array]:
    """A sample whose integers go on where those of the sample before ended, so that every row of a table comes up in time.

    Half of the samples go through the range in order, which misses nothing; the other half in long strides, which soon is everywhere.
    """
    made = dict(parent)
    for name in wide:
        taken, size = ranges[name], made[name].size
        span = min(max(1, taken.high - taken.low), 2**62)
        kind = np.uint64 if made[name].dtype == np.uint64 else np.int64
        indices = np.arange(number // 2 * size, (number // 2 + 1) * size, dtype=np.float64)
        offsets = indices % span if number % 2 == 0 else np.floor(np.modf(indices * _GOLDEN)[0] * span)
        values = np.minimum(offsets, span - 1).astype(kind) + kind(min(taken.low, np.iinfo(kind).max))
        made[name] = random.permutation(values).reshape(made[name].shape).astype(made[name].dtype)
    return made
