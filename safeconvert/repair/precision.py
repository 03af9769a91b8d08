"""Precision repair: the fewest layers of a reduced TFLite file that must be float again for source and target to agree.

A file converted with `--optimize` stores weights in fewer bits. Each reduced constant is first judged alone (everything else
float): how far it moves the outputs. Then the worst are restored until the steering inputs agree, found by bisection over
the ranking, and those that turn out superfluous are reduced again (see `fewest`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from safeconvert.compare.contract import Contract
from safeconvert.compare.settings import VerifySettings
from safeconvert.conversion.route import Candidate, RouteRun, StepCache, convert_along
from safeconvert.core.faults import Change, FaultKind, FaultRecord
from safeconvert.repair.fewest import Trial, distance, fewest, record, widened
from safeconvert.repair.judging import Judged, Judging
from safeconvert.repair.proposals import TargetProposal
from safeconvert.repair.tflite_file import call_tflite
from safeconvert.repair.types import Diagnosis
from safeconvert.verification.scored import labels_of
from safeconvert.verification.source import Source
from safeconvert.verification.subset import Subset, subset
from safeconvert.workers.run import Run


@dataclass(frozen=True)
class Reduced:
    """A layer whose constants are stored in fewer bits.

    Attributes:
        number: its position in the file.
        name: output of the operator that reads it.
        stored: `int8` or `float16`.
        saved: bytes that storing it so saves.
        work: multiplications of the operator for one sample, by an estimate.
    """

    number: int
    name: str
    stored: str
    saved: int
    work: int


@dataclass(frozen=True)
class ReducedTarget:
    """A reduced TFLite file beside its float twin.

    Attributes:
        source: what it is compared with.
        contract: of the source and the file.
        candidate: the file.
        twin: the same conversion with nothing reduced.
    """

    source: Source
    contract: Contract
    candidate: Candidate
    twin: Path


@dataclass(frozen=True)
class Ranking:
    """What a file is judged on, and how much each of its reduced layers harms.

    Attributes:
        target: the file.
        settings: what counts as equal.
        steering: the steering inputs, as the source is fed them, and its outputs.
        labels: of the steering inputs, where the given ones have any.
        layers: the reduced layers.
        harm: by number, how far a layer alone moves the outputs.
        judgements: of restored layers, on all steering inputs, each made once.
    """

    run: Run
    target: ReducedTarget
    settings: VerifySettings
    steering: Subset
    labels: np.ndarray | None = None
    layers: tuple[Reduced, ...] = ()
    harm: Mapping[int, float] = field(default_factory=dict)
    judgements: dict[tuple[int, ...], Judged] = field(default_factory=dict)

    @property
    def worst_first(self) -> list[int]:
        """Numbers of the layers."""
        return sorted((one.number for one in self.layers), key=lambda number: -self.harm[number])

    @property
    def trials(self) -> list[Trial]:
        """What was judged on all steering inputs, in order."""
        return [Trial(which, one.figures) for which, one in self.judgements.items()]

    def judge(self, which: Sequence[int]) -> Judged:
        """The file with these layers restored, on all steering inputs."""
        key = tuple(sorted(which))
        if key not in self.judgements:
            self.judgements[key] = self.judge_on(key, self.steering)
        return self.judgements[key]

    def judge_on(self, which: Sequence[int], on: Subset) -> Judged:
        """The file with these layers restored, on some inputs."""
        path = self.write(which)
        target = self.target
        by = Judging(self.run, target.source, target.contract, "tflite", self.labels, self.settings)
        return by.judged(path, path.stat().st_size, on)

    def write(self, which: Sequence[int]) -> Path:
        """The file with these layers restored."""
        reduced = self.target.candidate.path
        path = self.run.folder("precision") / reduced.name
        call_tflite(self.run, "restore", reduced, twin=self.target.twin, which=sorted(which), target=path)
        return path


def float_twin(run: Run, job: RouteRun) -> Path:
    """What a conversion gives that reduces nothing: the same route, the converter's own arguments included.

    Raises:
        AdapterFailure, UnusableInput: a converter failed.
    """
    options = replace(job.options, optimize="none")
    return convert_along(run, replace(job, target_name="twin.tflite", options=options, cache=StepCache())).path


def has_reduced(run: Run, path: Path) -> bool:
    """Whether a TFLite file holds constants in fewer bits that its operators take for float32."""
    return bool(call_tflite(run, "has_reduced", path))


def reduced_constants(run: Run, path: Path, twin: Path) -> list[Reduced]:
    """What a file stores in fewer bits than its float twin. Raises UnusableInput where the two do not belong together."""
    found = call_tflite(run, "reduced", path, twin=twin)
    return [Reduced(number, one["name"], one["stored"], one["bytes"], one["work"]) for number, one in enumerate(found)]


def localize_precision(run: Run, target: ReducedTarget, settings: VerifySettings) -> Diagnosis | None:
    """Which layers of a reduced file the loss comes from; nothing is restored. None where nothing is reduced.

    Raises:
        UnusableInput: the two files do not have the same operators.
        AdapterFailure: a candidate does not run.
    """
    ranking = ranked_layers(run, target, settings)
    if ranking is None:
        return None
    ranking.judge([])
    return diagnosed(ranking, [])


def restorations(
    run: Run, target: ReducedTarget, settings: VerifySettings, known: Ranking | None = None
) -> Iterator[TargetProposal]:
    """Propose files with ever more layers restored: first the fewest that satisfy the steering inputs, last all of them.

    Each is then verified on the held-out inputs.

    Args:
        run: the surroundings.
        target: the file.
        settings: what counts as equal.
        known: its layers, where they are ranked already.

    Raises:
        UnusableInput: the two files do not have the same operators.
        AdapterFailure: a candidate does not run.
    """
    ranking = known or ranked_layers(run, target, settings)
    if ranking is None:
        return
    ranking.judge([])

    def enough(which: list[int]) -> bool:
        return ranking.judge(which).figures.equal

    ranked = ranking.worst_first
    chosen = fewest(ranked, enough, run.settings.repair.precision_trials)
    while True:
        yield restored(ranking, chosen)
        if len(chosen) == len(ranked):
            return
        chosen = widened(chosen, ranked)


def restored(ranking: Ranking, chosen: Sequence[int]) -> TargetProposal:
    """The file with these layers restored."""
    path = ranking.write(chosen)
    candidate = replace(ranking.target.candidate, path=path)
    cost = f"in the tflite file: {_cost(ranking, chosen, path)}"
    return TargetProposal(cost, candidate, ranking.target.source, diagnosed(ranking, chosen))


def ranked_layers(run: Run, target: ReducedTarget, settings: VerifySettings) -> Ranking | None:
    """Each reduced layer judged alone; None where nothing is reduced. Raises UnusableInput and AdapterFailure, as `begun_ranking` and `ranked`."""
    begun = begun_ranking(run, target, settings)
    return ranked(begun) if begun is not None else None


def ranked(begun: Ranking) -> Ranking:
    """Each reduced layer judged alone, everything else float. Raises AdapterFailure where a file does not run."""
    everything = [one.number for one in begun.layers]
    probes = begun.steering.first(1)  # the ranking needs an order, not a verdict
    alone = {one: begun.judge_on([n for n in everything if n != one], probes) for one in everything}
    return replace(begun, harm={one: distance(found.figures) for one, found in alone.items()})


def begun_ranking(run: Run, target: ReducedTarget, settings: VerifySettings) -> Ranking | None:
    """The reduced layers, and what a file is judged on; none of them judged yet. None where nothing is reduced.

    Raises:
        UnusableInput: the two files do not have the same operators.
    """
    layers = reduced_constants(run, target.candidate.path, target.twin)
    if not layers:
        return None
    source = target.source
    numbers = [int(number) for number in (source.steering if len(source.steering) else source.held_out)]
    labels = labels_of(source)
    own = labels[numbers] if labels is not None and max(numbers) < len(labels) else None
    return Ranking(run, target, settings, subset(run, source, numbers, first=8), own, tuple(layers))


def diagnosed(ranking: Ranking, chosen: Sequence[int]) -> Diagnosis:
    """The state of the search: every reduced layer is a WB fault."""
    rank = {number: position for position, number in enumerate(ranking.worst_first)}
    listed = sorted(ranking.layers, key=lambda one: rank[one.number])
    faults = [_fault(one, ranking.harm[one.number], one.number in chosen) for one in listed]
    return record(faults, rank, chosen, ranking.trials)


def _cost(ranking: Ranking, chosen: Sequence[int], path: Path) -> str:
    """What restoring costs, in words: layers, and bytes before and after."""
    sizes = [file.stat().st_size for file in (ranking.target.candidate.path, path, ranking.target.twin)]
    return (
        f"{len(chosen)} of {len(ranking.layers)} reduced layers are float32 again: {sizes[0]} bytes became {sizes[1]} "
        f"(all float32: {sizes[2]})"
    )


def _fault(one: Reduced, harm: float, restored: bool) -> FaultRecord:
    evidence = (
        f"stored as {one.stored}, which saves {one.saved} bytes and moves the outputs by {harm:.3g} on average; "
        f"{'restored' if restored else 'kept'}"
    )
    return FaultRecord(
        FaultKind.WEIGHTS, "", one.name, one.stored, Change.PRECISION, evidence,
        isolated=harm, propagated=harm, proven=restored,
    )  # fmt: skip
