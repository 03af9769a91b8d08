"""Precision repair: the fewest layers of a reduced TFLite file that must be float again for source and target to agree.

A file converted with `--optimize` stores weights in fewer bits. Each reduced constant is first judged alone (everything else
float): how far it moves the outputs. Then the worst are restored until the steering inputs agree, found by bisection over
the ranking, and those that turn out superfluous are reduced again. Source: FetaFix (Louloudakis et al., EASE 2025), cases
2, 5, 8 and 15, where weights are replaced layer by layer in the order of suspicion until labels agree.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.compare.comparison import Comparison
from safeconvert.compare.contract import Contract
from safeconvert.compare.settings import VerifySettings
from safeconvert.conversion.models import evaluate, open_model
from safeconvert.conversion.route import Candidate, RouteRun, StepCache, convert_along
from safeconvert.core.faults import (
    Change,
    EvaluationRecord,
    FaultKind,
    FaultRecord,
    ScoreRecord,
    TrialOutcome,
    TrialRecord,
)
from safeconvert.registry.manifest import framework
from safeconvert.repair.proposals import TargetProposal
from safeconvert.repair.types import Diagnosis
from safeconvert.verification.interface import suggested_shapes
from safeconvert.verification.native import compare, feed_across
from safeconvert.verification.source import Source
from safeconvert.verification.subset import Subset, subset
from safeconvert.workers.requests import CallFunction
from safeconvert.workers.run import Run

Trial = tuple[list[int], Comparison]
"""Layers restored together, and the figures on the steering inputs."""


@dataclass(frozen=True)
class Reduced:
    """A layer whose constants are stored in fewer bits.

    Attributes:
        number: its position in the file.
        name: output of the operator that reads it.
        stored: `int8` or `float16`.
        saved: bytes that storing it so saves.
    """

    number: int
    name: str
    stored: str
    saved: int


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
class _Ranking:
    """What a file is judged on, and how much each of its reduced layers harms.

    Attributes:
        target: the file.
        settings: what counts as equal.
        steering: the steering inputs, as the source is fed them, and its outputs.
        layers: the reduced layers.
        harm: by number, how far a layer alone moves the outputs.
    """

    run: Run
    target: ReducedTarget
    settings: VerifySettings
    steering: Subset
    layers: tuple[Reduced, ...] = ()
    harm: Mapping[int, float] = field(default_factory=dict)

    @property
    def worst_first(self) -> list[int]:
        """Numbers of the layers."""
        return sorted((one.number for one in self.layers), key=lambda number: -self.harm[number])

    def judge(self, which: Sequence[int], on: Subset) -> Comparison:
        """Figures of the file with these layers restored."""
        path = self.write(which)
        request = ModelRequest(str(path), candidate_shapes=suggested_shapes(self.target.source.session.signature))
        session = open_model(self.run, "target", "tflite", request)
        feeds = feed_across(self.target.contract, on.chunks, self.run.folder("feed"))
        outputs = evaluate(self.run, session, feeds, "trying precisions")
        session.close()
        path.unlink()
        return compare(self.target.contract, on.expected, outputs, on.chunks, self.settings).result()

    def write(self, which: Sequence[int]) -> Path:
        """The file with these layers restored."""
        reduced = self.target.candidate.path
        path = self.run.folder("precision") / reduced.name
        _call(self.run, "restore", reduced, twin=self.target.twin, which=sorted(which), target=path)
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
    return bool(_call(run, "has_reduced", path))


def reduced_constants(run: Run, path: Path, twin: Path) -> list[Reduced]:
    """What a file stores in fewer bits than its float twin. Raises UnusableInput where the two do not belong together."""
    found = _call(run, "reduced", path, twin=twin)
    return [Reduced(number, one["name"], one["stored"], one["bytes"]) for number, one in enumerate(found)]


def localize_precision(run: Run, target: ReducedTarget, settings: VerifySettings) -> Diagnosis | None:
    """Which layers of a reduced file the loss comes from; nothing is restored. None where nothing is reduced.

    Raises:
        UnusableInput: the two files do not have the same operators.
        AdapterFailure: a candidate does not run.
    """
    ranking = _rank(run, target, settings)
    if ranking is None:
        return None
    return _diagnosis(ranking, [], [([], ranking.judge([], ranking.steering))])


def restorations(run: Run, target: ReducedTarget, settings: VerifySettings) -> Iterator[TargetProposal]:
    """Propose files with ever more layers restored: first the fewest that satisfy the steering inputs, last all of them.

    Each is then verified on the held-out inputs.

    Raises:
        UnusableInput: the two files do not have the same operators.
        AdapterFailure: a candidate does not run.
    """
    ranking = _rank(run, target, settings)
    if ranking is None:
        return
    trials: list[Trial] = [([], ranking.judge([], ranking.steering))]

    def enough(which: list[int]) -> bool:
        figures = ranking.judge(which, ranking.steering)
        trials.append((which, figures))
        return figures.equal

    ranked = ranking.worst_first
    chosen = ranked[: _bisect(lambda count: enough(ranked[:count]), len(ranked))]
    for number in list(reversed(chosen))[: run.settings.repair.precision_trials]:
        fewer = [other for other in chosen if other != number]
        if fewer and enough(fewer):
            chosen = fewer
    while True:
        path = ranking.write(chosen)
        yield TargetProposal(
            f"in the tflite file: {_cost(ranking, chosen, path)}",
            replace(target.candidate, path=path),
            target.source,
            _diagnosis(ranking, chosen, trials),
        )
        if len(chosen) == len(ranked):
            return
        more = min(len(ranked), max(len(chosen) + 1, math.ceil(1.25 * len(chosen))))
        chosen = chosen + [number for number in ranked if number not in chosen][: more - len(chosen)]


def _rank(run: Run, target: ReducedTarget, settings: VerifySettings) -> _Ranking | None:
    """Each reduced layer judged alone, everything else float; None where nothing is reduced."""
    layers = reduced_constants(run, target.candidate.path, target.twin)
    if not layers:
        return None
    source = target.source
    numbers = [int(number) for number in (source.steering if len(source.steering) else source.held_out)]
    unranked = _Ranking(run, target, settings, subset(run, source, numbers, first=8))
    everything = [one.number for one in layers]
    probes = unranked.steering.first(1)  # the ranking needs an order, not a verdict
    harm = {one.number: _distance(unranked.judge([n for n in everything if n != one.number], probes)) for one in layers}
    return replace(unranked, layers=tuple(layers), harm=harm)


def _bisect(enough: Callable[[int], bool], most: int) -> int:
    """The smallest count that is enough, where more never hurts; `most` is taken to be enough."""
    low, high = 1, most
    while low < high:
        middle = (low + high) // 2
        if enough(middle):
            high = middle
        else:
            low = middle + 1
    return low


def _diagnosis(ranking: _Ranking, chosen: Sequence[int], trials: Sequence[Trial]) -> Diagnosis:
    """The state of the search: every reduced layer is a WB fault."""
    harm = ranking.harm
    first, last = trials[0][1], next((figures for which, figures in reversed(trials) if which == chosen), trials[-1][1])
    rank = {number: position for position, number in enumerate(ranking.worst_first)}
    listed = sorted(ranking.layers, key=lambda one: rank[one.number])
    faults = tuple(_fault(one, harm[one.number], one.number in chosen) for one in listed)
    kept = tuple(
        TrialRecord(
            tuple(sorted(rank[number] for number in which)),
            TrialOutcome.ACCEPTED if figures.equal else TrialOutcome.NO_GAIN,
            "",
            _score(first),
            _score(figures),
        )
        for which, figures in trials[1:]
    )
    return Diagnosis(
        faults=faults,
        trials=kept,
        before=EvaluationRecord(_score(first), first.disagreeing),
        after=EvaluationRecord(_score(last), last.disagreeing),
        rounds=1,
        ended="equal" if last.equal else "localized only",
    )


def _cost(ranking: _Ranking, chosen: Sequence[int], path: Path) -> str:
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


def _score(figures: Comparison) -> ScoreRecord:
    share = max(figures.disagreements, figures.beyond_tolerance) / max(figures.samples, 1)
    return ScoreRecord(share, figures.relative, figures.discrepancy, figures.max_abs)


def _distance(figures: Comparison) -> float:
    return figures.mean_abs if math.isfinite(figures.mean_abs) else math.inf


def _call(run: Run, function: str, path: Path, **arguments: Any) -> Any:
    """Call a function of the tflite adapter that reads or writes a reduced file."""
    adapter = framework("tflite", run.adapters)
    request = CallFunction(adapter.folder, function, {"request": ModelRequest(str(path)).to_json(), **arguments})
    return run.pool.worker("convert", adapter.python).call(
        adapter.name, f"reading the precision of {path.name}", request
    )
