"""A search for inputs on which source and target differ: from those that are farthest apart, changed and changed again.

It runs both models natively, in batches, and follows the distance as a share of what is allowed. What it finds counts only where the
source does not move there by rounding alone, and the distance is more than rounding or stays in float64. Rounds are counted, not
timed, unless seconds were given: then the certificate says how many rounds there were. A round draws from its own number, so that
more rounds begin as fewer do.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from safeconvert.compare.comparison import Comparison
from safeconvert.compare.discrepancy import Accumulator
from safeconvert.compare.exchange import comparable_outputs
from safeconvert.compare.settings import VerifySettings
from safeconvert.conversion.models import Evaluated
from safeconvert.errors import AdapterFailure, UnusableInput
from safeconvert.graph.mutate import Range
from safeconvert.inputs.ascent import Rounds
from safeconvert.inputs.offspring import Elite
from safeconvert.inputs.statistics import looks
from safeconvert.inputs.store import Chunk
from safeconvert.verification.counterexamples import confirmed
from safeconvert.verification.coverage import fewer
from safeconvert.verification.dataset import finite_samples
from safeconvert.verification.extra_inputs import comparable_on_made_up
from safeconvert.verification.native import accumulator, feed_across
from safeconvert.verification.pair import Pair
from safeconvert.verification.types import Searched, Verification
from safeconvert.workers.run import Run
from safeconvert.workers.session import load_files

Array = np.ndarray[Any, Any]
_ELITES = 12
_HEAVY = 16 << 20  # bytes of a model past which fewer inputs are tried
_OF_LARGE = (3, 4)  # rounds, and inputs in each


@dataclass(frozen=True)
class SearchPlan:
    """How much is searched.

    Attributes:
        rounds: at most; with seconds, no matter.
        batch: inputs of a round.
        seconds: after which no round begins; None: rounds are counted.
    """

    rounds: int
    batch: int
    seconds: float | None


def search(run: Run, pair: Pair, found: Verification, settings: VerifySettings) -> Verification:
    """A verification of an equal target, refused where the search finds an input on which it is not.

    Args:
        run: the surroundings.
        pair: the models.
        found: as the inputs of the run gave it.
        settings: what counts as equal.
    """
    plan = _plan(run, pair)
    if not found.native.equal or plan is None or not comparable_on_made_up(settings):
        return found
    searched = _Search(run, pair, found, settings, plan).run_rounds()
    found = replace(found, searched=searched)
    if searched.figures is None:
        return found
    return replace(found, native=replace(found.native, equal=False))


def _plan(run: Run, pair: Pair) -> SearchPlan | None:
    """None where nothing is searched: it is switched off, the source has no batch, or the target takes other inputs than the source."""
    data, asked = pair.source.data, run.settings.inputs
    if (
        data.inputs.whole
        or pair.source.fed_otherwise
        or not asked.joined
        or asked.search == 0
        or (asked.search is None and not asked.search_rounds)
    ):
        return None
    first = data.chunks[0]
    if not len(pair.source.counted):
        return None
    heavy = any(_size(path) > _HEAVY for path in (pair.source.file.path, pair.source.exported.path))
    if heavy or fewer(load_files(first.arrays), first.stop - first.start):
        rounds, batch = min(asked.search_rounds, _OF_LARGE[0]), _OF_LARGE[1]
        return SearchPlan(rounds, batch, asked.search)
    return SearchPlan(asked.search_rounds, asked.search_batch, asked.search)


def _size(path: Path | None) -> int:
    if path is None or not path.exists():
        return 0
    return (
        path.stat().st_size if path.is_file() else sum(one.stat().st_size for one in path.rglob("*") if one.is_file())
    )


@dataclass(frozen=True)
class _Wrong:
    """A round that holds inputs on which the models differ; see `Searched`."""

    chunk: Chunk
    figures: Comparison
    source: Evaluated
    target: Evaluated
    numbers: tuple[int, ...]


class _Search:
    """One search: the inputs that are farthest apart so far, and those that were tried."""

    def __init__(self, run: Run, pair: Pair, found: Verification, settings: VerifySettings, plan: SearchPlan) -> None:
        self._run, self._pair, self._found, self._settings, self._plan = run, pair, found, settings, plan
        source = pair.source
        self._elites: list[Elite] = []
        self._tried: set[bytes] = set()
        self._count = 0
        self._rounds = Rounds(source.data.seed, _ranges(pair), plan.batch)
        self._figures = accumulator(pair.contract, source.outputs, source.data.chunks, settings)
        for chunk, ours, theirs in zip(source.data.chunks, source.outputs.outputs, found.outputs.outputs, strict=False):
            rows = [int(number) - chunk.start for number in source.counted if chunk.start <= number < chunk.stop]
            if rows:
                arrays = load_files(chunk.arrays)
                self._new(arrays, rows)
                self._take(arrays, self._closeness(chunk, ours, theirs), rows)

    def run_rounds(self) -> Searched:
        """All rounds, or those up to the first that finds something."""
        began, done, why = time.monotonic(), 0, ""
        while done < self._plan.rounds if self._plan.seconds is None else time.monotonic() - began < self._plan.seconds:
            try:
                chunk = self._round(done)
                ours = self._pair.source.session.run([dict(chunk.arrays)], self._run.scratch)[0]
                theirs = self._target_outputs(chunk)
            except (AdapterFailure, UnusableInput) as error:
                why = f"a model does not run on inputs that were searched: {error.message.splitlines()[0]}"
                break
            done += 1
            wrong = self._judge(chunk, ours, theirs)
            if wrong is not None:
                return self._result(done, wrong, "")
        return self._result(done, None, why)

    def _result(self, done: int, wrong: _Wrong | None, why: str) -> Searched:
        nearest = max((elite.closeness for elite in self._elites), default=0.0)
        found = Searched(self._count, done, self._plan.batch, self._plan.seconds, float(f"{nearest:.3g}"), why)
        if wrong is None:
            return found
        return replace(
            found,
            figures=wrong.figures,
            chunk=wrong.chunk,
            source=wrong.source,
            target=wrong.target,
            numbers=wrong.numbers,
        )

    def _round(self, number: int) -> Chunk:
        """The inputs of a round."""
        made = self._rounds.samples(number, self._elites)
        folder, files = self._run.kept("searched"), {}
        for index, name in enumerate(made[0]):
            files[name] = folder / f"in-{index}.npy"
            np.save(files[name], np.stack([sample[name] for sample in made]), allow_pickle=False)
        return Chunk(0, len(made), files)

    def _new(self, arrays: Mapping[str, Array], rows: Sequence[int]) -> int:
        """How many of the samples equal none that was tried before."""
        before = len(self._tried)
        for row in rows:
            parts = (np.ascontiguousarray(array[row]).tobytes() for array in arrays.values())
            self._tried.add(hashlib.sha256(b"".join(parts)).digest())
        return len(self._tried) - before

    def _target_outputs(self, chunk: Chunk) -> Mapping[str, Path]:
        feeds = feed_across(self._pair.contract, [chunk], self._run.folder("feed"))
        return self._pair.target.session.run(feeds, self._run.scratch)[0]

    def _closeness(self, chunk: Chunk, ours: Mapping[str, Path], theirs: Mapping[str, Path]) -> Array:
        left, right = comparable_outputs(self._pair.contract, load_files(ours), load_files(theirs))
        return self._figures.closeness(left, right, chunk.stop - chunk.start)

    def _judge(self, chunk: Chunk, ours: Mapping[str, Path], theirs: Mapping[str, Path]) -> _Wrong | None:
        """The inputs of a round on which the models differ, where there are any; the others may be changed further."""
        pair = self._pair
        source = Evaluated(pair.source.session.signature, (ours,))
        target = Evaluated(pair.target.session.signature, (theirs,))
        usable = finite_samples(source, [chunk])
        self._count += self._new(load_files(chunk.arrays), [int(row) for row in usable])
        figures: Accumulator = self._figures.fresh()
        left, right = comparable_outputs(pair.contract, load_files(ours), load_files(theirs))
        figures.add(left, right, np.arange(chunk.stop))
        suspects = np.intersect1d(figures.unequal(), usable)
        closeness = self._closeness(chunk, ours, theirs)
        self._rounds.learn(closeness)
        if len(suspects):
            shown = confirmed(self._run, pair, self._found, self._settings, (chunk, source, target), figures, suspects)
            if len(shown):
                order = sorted((int(number) for number in shown), key=lambda number: (-closeness[number], number))
                return _Wrong(chunk, figures.result(shown), source, target, tuple(order))
            closeness[suspects] = 0.0  # rounding alone: nothing to follow
        self._take(load_files(chunk.arrays), closeness, [int(row) for row in usable])
        return None

    def _take(self, arrays: Mapping[str, Array], closeness: Array, rows: Sequence[int]) -> None:
        """Keep the samples that are farthest apart."""
        found = [Elite(float(closeness[row]), {name: array[row] for name, array in arrays.items()}) for row in rows]
        kept = sorted([*self._elites, *found], key=lambda elite: -elite.closeness)
        self._elites = kept[:_ELITES]


def _ranges(pair: Pair) -> dict[str, Range]:
    """By input, what its values are: as wide as those of the run, and integers between the least and the largest of them."""
    found = {}
    for name, look in looks(pair.source.data.chunks[:4]).items():
        found[name] = Range(look.deviation, int(look.least), int(look.largest) + 1)
    return found
