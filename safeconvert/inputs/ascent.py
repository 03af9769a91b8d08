"""The steepest ascent of a distance that is only known by running: pairs of small steps tell a direction, and a line is followed along it.

Real inputs only; half a round's samples are steps to one side, half to the other (evolution strategies: Salimans et al., 2017).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from safeconvert.graph.mutate import Range
from safeconvert.inputs.interface import Array
from safeconvert.inputs.offspring import Elite, offspring

Sample = Mapping[str, Array]
_STEP = 0.1  # of the values' deviation
_TURNS = 4  # rounds until it begins again
_SHORTEST, _LONGEST = 0.02, 6.0  # of a line, in deviations of each value


def climbable(sample: Sample) -> bool:
    """Whether there are real values to step on."""
    return any(array.dtype.kind == "f" and array.size for array in sample.values())


def directions(random: np.random.Generator, sample: Sample, count: int) -> list[dict[str, Array]]:
    """Random directions, one normal number for each real value; half of them within what is not zero."""
    found = []
    for number in range(count):
        made = {}
        for name, array in sample.items():
            if array.dtype.kind == "f":
                step = np.asarray(random.normal(size=array.shape))
                made[name] = np.where(array != 0, step, 0.0) if number % 2 else step
        found.append(made)
    return found


def stepped(sample: Sample, way: Sample, ranges: Mapping[str, Range], size: float) -> dict[str, Array]:
    """A sample moved along a direction by a size in deviations."""
    return {
        name: (array + size * ranges[name].scale * way[name]).astype(array.dtype) if name in way else array
        for name, array in sample.items()
    }


def probes(sample: Sample, ways: Sequence[Sample], ranges: Mapping[str, Range]) -> list[dict[str, Array]]:
    """The sample moved a little along each direction and against it, in turn."""
    return [stepped(sample, way, ranges, sign * _STEP) for way in ways for sign in (1.0, -1.0)]


def steepest(ways: Sequence[Mapping[str, Array]], closeness: Array) -> dict[str, Array]:
    """The direction in which the closeness of probes grows, its values of the size of 1 on average.

    Args:
        ways: as probed.
        closeness: of the probes, in their order; what is not finite counts as 0.
    """
    known = np.where(np.isfinite(closeness), closeness, 0.0)
    gains = known[0::2] - known[1::2]
    total = {name: np.zeros(array.shape) for name, array in ways[0].items()}
    for way, gain in zip(ways, gains, strict=True):
        for name, array in way.items():
            total[name] += gain * array
    size = np.sqrt(np.mean(np.concatenate([array.ravel() ** 2 for array in total.values()])))
    return {name: array / size for name, array in total.items()} if size > 0 else total


def line(sample: Sample, way: Mapping[str, Array], ranges: Mapping[str, Range], count: int) -> list[dict[str, Array]]:
    """Samples ever farther along a direction."""
    return [stepped(sample, way, ranges, float(size)) for size in np.geomspace(_SHORTEST, _LONGEST, count)]


class Rounds:
    """What the rounds of a search try: samples changed at random twice, then steps to all sides, then a line where these led.

    Args:
        seed: of everything drawn.
        ranges: what the values of each input are.
        count: samples of a round.
    """

    def __init__(self, seed: int, ranges: Mapping[str, Range], count: int) -> None:
        """Before the first round."""
        self._seed, self._ranges, self._count = seed, ranges, count
        self._base: Sample = {}
        self._ways: list[dict[str, Array]] = []
        self._steepest: dict[str, Array] = {}

    def samples(self, number: int, elites: Sequence[Elite]) -> list[dict[str, Array]]:
        """Those of a round; the farthest apart so far go first."""
        random = np.random.default_rng(np.random.SeedSequence([self._seed, number, 13]))
        best, turn = elites[0].sample, number % _TURNS
        self._ways = []
        if turn == _TURNS - 2 and climbable(best) and self._count >= 2:
            self._base, self._ways = best, directions(random, best, self._count // 2)
            return probes(best, self._ways, self._ranges)
        along: list[dict[str, Array]] = []
        if turn == _TURNS - 1 and self._steepest:
            for start in (self._base, best):
                along += line(start, self._steepest, self._ranges, self._count // 4)
        return [*along, *offspring(random, number, elites, self._ranges, self._count - len(along))]

    def learn(self, closeness: Array) -> None:
        """Take how close the models were on the samples of the round."""
        self._steepest = steepest(self._ways, closeness) if self._ways else {}
