"""A search for inputs on which source and target differ: from those that are farthest apart, changed and changed again.

It runs both models natively and follows the distance as a share of what is allowed. What it finds counts only where the
source does not move there by rounding alone, and the distance is more than rounding or stays in float64. Rounds are counted, not
timed, unless seconds were given: then the certificate says how many rounds there were. A round draws from its own number, so that
more rounds begin as fewer do.

Where a target was repaired by inputs that a search before found, these are run first; they are no evidence any more, and the rounds
that follow draw other inputs than those before.
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
from safeconvert.compare.exchange import comparable_outputs
from safeconvert.compare.settings import VerifySettings
from safeconvert.conversion.models import Evaluated
from safeconvert.errors import AdapterFailure, UnusableInput
from safeconvert.graph.mutate import Range
from safeconvert.inputs.ascent import Rounds
from safeconvert.inputs.offspring import Elite
from safeconvert.inputs.statistics import looks
from safeconvert.inputs.store import Chunk, samples, saved
from safeconvert.verification.counterexamples import Tried, confirmed
from safeconvert.verification.native import accumulator, feed_across
from safeconvert.verification.odd_calls import from_the_end, one_sided_calls
from safeconvert.verification.pair import Pair
from safeconvert.verification.rare_rows import rare_rows, reading
from safeconvert.verification.search_plan import NotSearched, SearchPlan, plan_search
from safeconvert.verification.turning import at_turns, turns_of_one
from safeconvert.verification.types import Searched, Verification
from safeconvert.verification.usable_samples import declared_samples, finite_samples
from safeconvert.verification.waking import waking
from safeconvert.workers.run import Run
from safeconvert.workers.session import load_files

Array = np.ndarray[Any, Any]
_ELITES = 12
_AT_TURNS = 2  # batches of inputs at which only one of the models changes its mind, at most
_AFRESH = 7919  # between the seeds of searches of a target and of its repairs


def search(run: Run, pair: Pair, found: Verification, settings: VerifySettings) -> Verification:
    """A verification of an equal target, refused where the search finds an input on which it is not.

    Args:
        run: the surroundings.
        pair: the models.
        found: as the inputs of the run gave it.
        settings: what counts as equal.

    Raises:
        AdapterFailure: the target does not run on inputs that refuted it before it was repaired.
    """
    if not found.native.equal:
        return found
    plan = plan_search(run, pair, settings)
    if isinstance(plan, NotSearched):
        return replace(found, remarks=(*found.remarks, f"no inputs were searched: {plan.why}")) if plan.why else found
    searched = _Search(run, pair, found, settings, plan).run_rounds()
    found = replace(found, searched=searched)
    if searched.figures is None:
        return found
    return replace(found, native=replace(found.native, equal=False))


@dataclass(frozen=True)
class _Wrong:
    """A round that holds inputs on which the models differ; see `Searched`."""

    tried: Tried
    figures: Comparison
    numbers: tuple[int, ...]


class _Search:
    """One search: the inputs that are farthest apart so far, and those that were tried."""

    def __init__(self, run: Run, pair: Pair, found: Verification, settings: VerifySettings, plan: SearchPlan) -> None:
        self._run, self._pair, self._found, self._settings, self._plan = run, pair, found, settings, plan
        source = pair.source
        self._elites: list[Elite] = []
        self._tried: set[bytes] = set()
        self._count = 0
        self._missed: tuple[tuple[str, str], ...] = ()
        seed = source.data.seed + _AFRESH * sum(chunk.stop - chunk.start for chunk in source.counterexamples)
        self._rounds = Rounds(seed, _ranges(pair), plan.batch)
        self._figures = accumulator(pair.contract, source.outputs, source.data.chunks, settings)
        for chunk, ours, theirs in zip(source.data.chunks, source.outputs.outputs, found.outputs.outputs, strict=False):
            numbers = [int(number) for number in source.counted if chunk.start <= number < chunk.stop]
            if numbers:
                closeness = self._figures.closeness(*self._outputs(chunk, ours, theirs), chunk.stop - chunk.start)
                self._new(chunk, numbers)
                self._take(chunk, closeness, numbers)

    def run_rounds(self) -> Searched:
        """All rounds, or those up to the first that finds something; what refuted the target before its repair goes first."""
        known = self._pair.source.counterexamples
        if known:
            for chunk in known:
                self._new(chunk, range(chunk.start, chunk.stop))
            wrong = self._judge(self._run_both(known))
            if wrong is not None:
                return self._result(0, wrong, "")
        wrong = self._rare_rows() or self._turns() or self._woken()
        if wrong is not None:
            return self._result(0, wrong, "")
        began, done, why = time.monotonic(), 0, ""
        while done < self._plan.rounds if self._plan.seconds is None else time.monotonic() - began < self._plan.seconds:
            try:
                tried = self._run_both(self._round(done))
            except (AdapterFailure, UnusableInput) as error:
                why = f"a model does not run on inputs that were searched: {error.message.splitlines()[0]}"
                break
            done += 1
            wrong = self._judge(tried)
            if wrong is not None:
                return self._result(done, wrong, "")
        wrong = self._odd_calls() if not why else None
        return self._result(done, wrong, why)

    def _result(self, done: int, wrong: _Wrong | None, why: str) -> Searched:
        nearest = max((elite.closeness for elite in self._elites), default=0.0)
        known = sum(chunk.stop - chunk.start for chunk in self._pair.source.counterexamples)
        found = Searched(
            self._count,
            done,
            self._plan.batch,
            self._plan.seconds,
            float(f"{nearest:.3g}"),
            why,
            known,
            missed=self._missed,
        )
        if wrong is None:
            return found
        chunks, source, target = wrong.tried
        return replace(found, figures=wrong.figures, chunks=chunks, source=source, target=target, numbers=wrong.numbers)

    def _rare_rows(self) -> _Wrong | None:
        """What inputs come to that read the rows in which the tables of both models differ."""
        rows = rare_rows(self._run, self._pair.source.exported, self._found.exported)
        made = reading(rows, self._elites[0].sample, _ranges(self._pair), self._plan.batch) if self._elites else []
        for sample in made:  # each by itself: one that names no row of its table is refused with all others of a call
            try:
                wrong = self._judge(self._run_both(self._calls([sample])))
            except (AdapterFailure, UnusableInput):
                continue
            if wrong is not None:
                return wrong
        return None

    def _turns(self) -> _Wrong | None:
        """What inputs come to at which only one of the models changes its mind."""
        numbers = turns_of_one(self._run, self._pair.source.exported, self._found.exported)
        if not numbers or not self._elites:
            return None
        numeric = {name for name, taken in self._pair.source.ranges.items() if taken.low < 0 and not taken.rows}
        samples = [elite.sample for elite in self._elites]
        for group in at_turns(numbers, samples, _ranges(self._pair), numeric, _AT_TURNS * self._plan.batch):
            for part in (group, *([one] for one in group)):  # one by one where a model refuses one of them
                try:
                    wrong = self._judge(self._run_both(self._calls(part)))
                except (AdapterFailure, UnusableInput):
                    continue
                if wrong is not None:
                    return wrong
                if part is group:
                    break
        return None

    def _woken(self) -> _Wrong | None:
        """What inputs come to that show numbers of one model that are others in the other one; of large models none is looked for."""
        if self._plan.heavy:
            return None
        found = waking(self._run, self._pair, self._found.exported, _ranges(self._pair))
        self._missed = found.missed
        try:
            return self._judge(self._run_both(found.chunks)) if found.chunks else None
        except (AdapterFailure, UnusableInput):
            return None

    def _odd_calls(self) -> _Wrong | None:
        """What calls come to that no round makes: of one sign, or with rows that are counted from the end where the source takes such."""
        if not self._elites:
            return None
        samples = [elite.sample for elite in self._elites]
        calls = [] if self._plan.whole else list(one_sided_calls(samples, _ranges(self._pair)))
        calls += [[sample] for sample in from_the_end(samples[0], self._pair.source.ranges)]
        for call in calls:
            try:
                wrong = self._judge(self._run_both(self._calls(call)))
            except (AdapterFailure, UnusableInput):
                continue  # one of the models does not take it
            if wrong is not None:
                return wrong
        return None

    def _round(self, number: int) -> tuple[Chunk, ...]:
        """The inputs of a round: one call of all of them, or a call for each."""
        return self._calls(self._rounds.samples(number, self._elites))

    def _calls(self, made: Sequence[Mapping[str, Array]]) -> tuple[Chunk, ...]:
        folder = self._run.kept("searched")
        if not self._plan.whole:
            stacked = {name: np.stack([sample[name] for sample in made]) for name in made[0]}
            return (Chunk(0, len(made), saved(folder, "in", stacked)),)
        calls = enumerate(made)
        return tuple(Chunk(index, index + 1, saved(folder, f"in-{index}", call), True) for index, call in calls)

    def _run_both(self, chunks: tuple[Chunk, ...]) -> Tried:
        pair = self._pair
        ours = pair.source.session.run([dict(chunk.arrays) for chunk in chunks], self._run.scratch)
        feeds = feed_across(pair.contract, chunks, self._run.folder("feed"))
        theirs = pair.target.session.run(feeds, self._run.scratch)
        return (
            chunks,
            Evaluated(pair.source.session.signature, tuple(ours)),
            Evaluated(pair.target.session.signature, tuple(theirs)),
        )

    def _new(self, chunk: Chunk, numbers: Sequence[int]) -> int:
        """How many of the samples equal none that was tried before."""
        before = len(self._tried)
        for sample in samples(chunk, numbers):
            parts = (np.ascontiguousarray(array).tobytes() for array in sample.values())
            self._tried.add(hashlib.sha256(b"".join(parts)).digest())
        return len(self._tried) - before

    def _outputs(
        self, chunk: Chunk, ours: Mapping[str, Path], theirs: Mapping[str, Path]
    ) -> tuple[dict[str, Array], dict[str, Array]]:
        """Both models' outputs as they are compared, samples along axis 0."""
        left, right = comparable_outputs(self._pair.contract, load_files(ours), load_files(theirs))
        if not chunk.whole:
            return left, right
        return {name: array[None] for name, array in left.items()}, {name: array[None] for name, array in right.items()}

    def _judge(self, tried: Tried) -> _Wrong | None:
        """The inputs of a round on which the models differ, where there are any; the others may be changed further."""
        chunks, source, target = tried
        figures, shares = self._figures.fresh(), []
        for chunk, ours, theirs in zip(chunks, source.outputs, target.outputs, strict=True):
            left, right = self._outputs(chunk, ours, theirs)
            figures.add(left, right, np.arange(chunk.start, chunk.stop))
            shares.append(self._figures.closeness(left, right, chunk.stop - chunk.start))
        closeness: Array = np.concatenate(shares)
        data, before = self._pair.source.data, self._pair.source.outputs.outputs
        given = [files for chunk, files in zip(data.chunks, before, strict=True) if chunk.stop <= data.inputs.count]
        usable = np.intersect1d(finite_samples(source, chunks), declared_samples(source, chunks, given))
        kept = [[int(one) for one in usable if chunk.start <= one < chunk.stop] for chunk in chunks]
        self._count += sum(self._new(chunk, numbers) for chunk, numbers in zip(chunks, kept, strict=True))
        suspects = np.intersect1d(figures.unequal(), usable)
        self._rounds.learn(closeness)
        if len(suspects):
            shown = confirmed(self._run, self._pair, self._found, self._settings, tried, figures, suspects)
            if len(shown):
                order = sorted((int(number) for number in shown), key=lambda number: (-closeness[number], number))
                return _Wrong(tried, figures.result(shown), tuple(order))
            closeness[suspects] = 0.0  # rounding alone: nothing to follow
        for chunk, numbers in zip(chunks, kept, strict=True):
            self._take(chunk, closeness[chunk.start : chunk.stop], numbers)
        return None

    def _take(self, chunk: Chunk, closeness: Array, numbers: Sequence[int]) -> None:
        """Keep the samples that are farthest apart, of those of one shape."""
        found = [
            Elite(float(closeness[number - chunk.start]), sample)
            for number, sample in zip(numbers, samples(chunk, numbers), strict=True)
            if all(np.isfinite(array).all() for array in sample.values() if array.dtype.kind == "f")
        ]
        kept = sorted([*self._elites, *found], key=lambda elite: -elite.closeness)
        self._elites = [one for one in kept if _shapes(one) == _shapes(kept[0])][:_ELITES]


def _shapes(elite: Elite) -> tuple[tuple[int, ...], ...]:
    return tuple(array.shape for array in elite.sample.values())


def _ranges(pair: Pair) -> dict[str, Range]:
    """By input, what its values are: as wide as those of the run, and integers between the least and the largest of them."""
    found = {}
    for name, look in looks(pair.source.data.chunks[:4]).items():
        found[name] = Range(look.deviation, int(look.least), int(look.largest) + 1)
    return found
