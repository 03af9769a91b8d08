"""The repair: align, find faults, try what undoes them, keep what helps, until nothing differs or nothing helps.

Greedy and lexicographic, as FetaFix is (Louloudakis et al., EASE 2025, section 4.3): a trial is accepted where the pair
(share that differs, distance) gets smaller. Each trial starts from an immutable candidate. Faults that were proven, each in
its own region, are first undone together: one of many compensating faults may make the pair larger by itself. Only where
that does not help are they tried one region after the other, in the order of the kinds and by suspicion.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnx

from safeconvert.compare.exchange import target_feeds
from safeconvert.compare.relation import Relation, identity
from safeconvert.core.faults import ScoreRecord, TrialOutcome, TrialRecord
from safeconvert.core.memory import give_back
from safeconvert.graph.activations import BACK_ENDS
from safeconvert.graph.edits import Bypass, Edit, EditError, apply
from safeconvert.graph.rounding_pairs import is_quantized, rounding_behind, without_rounding
from safeconvert.graph.view import GraphView, tidy
from safeconvert.localize.alignment import Alignment, align
from safeconvert.localize.faults import Fault, find_faults
from safeconvert.localize.findings import LayerScore, Reexpression
from safeconvert.localize.kinds import Kind
from safeconvert.localize.layer_analysis import Groups, analyse, core_pairs, unranked
from safeconvert.localize.layer_errors import propagated_errors
from safeconvert.localize.matching import Pair
from safeconvert.localize.reexpressions import reexpressions
from safeconvert.repair.engine.kinds import KINDS
from safeconvert.repair.engine.problem import Problem
from safeconvert.repair.engine.recorder import Recorder
from safeconvert.repair.engine.scoring import Broken, Scored, Scorer

_FINEST = 1e-5  # of a tensor's largest magnitude; below it begins the rounding of single operators
_QUANTIZED = 0.05  # of a tensor's largest magnitude: steps of 0.4 %, which add up over a layer's products and from layer to layer
_FINEST_QUANTIZED = 0.02  # below it begins what eight bits of a layer's weights make


@dataclass(frozen=True)
class Repair:
    """What a repair came to.

    Attributes:
        faults: every fault found, in the order of the rounds.
        trials: every trial.
        before, after: on all steering inputs.
        candidate: the graph with all accepted edits.
        edits: the accepted edits, in order, to be made on the tidied target.
        rounds: how often the graphs were aligned.
        ended: why it ended.
        layers: ranking of the published layer analysis; empty where it was not requested or is not possible.
        unranked: why it is not possible; else "".
        record: what a report shows besides; see `Recorder`.
        reexpressions: what the target computes with other operators, as the first round found it.
    """

    faults: tuple[Fault, ...]
    trials: tuple[TrialRecord, ...]
    before: Scored
    after: Scored
    candidate: GraphView
    edits: tuple[Edit, ...]
    rounds: int
    ended: str
    layers: tuple[LayerScore, ...]
    unranked: str
    record: dict[str, Any]
    reexpressions: tuple[Reexpression, ...]


def repair(problem: Problem, kinds: Sequence[Kind] = KINDS) -> Repair:
    """Localize, and repair where the problem requests it.

    Args:
        problem: the pair.
        kinds: of faults that are looked for between cut points.

    Raises:
        Broken: source or target do not run at all.
    """
    return _Loop(problem, kinds).run()


def measured(problem: Problem) -> dict[str, Any]:
    """The errors along the layers and both graphs, of a pair that need not differ. Raises Broken as `repair`."""
    return _Loop(problem, ()).measured()


class _Loop:
    """State of one repair."""

    def __init__(self, problem: Problem, kinds: Sequence[Kind]) -> None:
        self.problem = problem
        self.kinds = kinds
        self.source = tidy(onnx.load(problem.source))
        self.target = tidy(onnx.load(problem.target))
        self.scorer = Scorer(problem, self.source)
        self.candidate = self.target
        self.faults: list[Fault] = []
        self.trials: list[TrialRecord] = []
        self.edits: list[Edit] = []
        self.rounds = 0
        self.layers: tuple[LayerScore, ...] = ()
        self.unranked = ""
        self.recorder = Recorder(Path(problem.folder))
        self.reexpressions: tuple[Reexpression, ...] = ()
        self.quantized = is_quantized(self.target)
        self.rtol = max(problem.settings.rtol, _QUANTIZED) if self.quantized else problem.settings.rtol
        self.finest = _FINEST_QUANTIZED if self.quantized else _FINEST

    def run(self) -> Repair:
        """Rounds until the candidate is equal, nothing helps any more, or the time is over."""
        deadline = time.monotonic() + self.problem.settings.seconds
        before = now = self.scorer.score(self.candidate)
        barren = 0
        ended = "equal" if now.equal else ""
        while not ended:
            accepted = self._round(now)
            self.rounds += 1
            if not self.problem.repair:
                return self._end(before, now, "localized only")
            now = self.scorer.score(self.candidate) if accepted else now
            barren = 0 if accepted else barren + 1
            if now.equal:
                ended = "equal"
            elif barren >= self.problem.settings.barren_rounds:
                ended = f"{barren} rounds without gain"
            elif time.monotonic() > deadline:
                ended = f"time limit of {self.problem.settings.seconds:g} s"
        return self._end(before, now, ended)

    def measured(self) -> dict[str, Any]:
        """What a round records, without looking for faults."""
        now = self.scorer.score(self.candidate)
        self.recorder.round(self._align(self._probes(now)), {})
        return {**self.recorder.record(self.candidate), "regions": []}

    def _end(self, before: Scored, after: Scored, ended: str) -> Repair:
        give_back()
        return Repair(
            tuple(self.faults),
            tuple(self.trials),
            before,
            after,
            self.candidate,
            tuple(self.edits),
            self.rounds,
            ended,
            self.layers,
            self.unranked,
            self.recorder.record(self.candidate),
            self.reexpressions,
        )

    def _round(self, now: Scored) -> bool:
        """Align, find, try. Whether anything was accepted."""
        alignment = self._align(self._probes(now))
        if not self.rounds:
            self.reexpressions = tuple(reexpressions(alignment))
        if self.problem.layer_analysis and not self.rounds:
            self.layers, self.unranked = self._rank(alignment, now)
        found = self._found(alignment)
        while not found and self.rtol > self.finest:  # each part is within tolerance, and together they are not
            self.rtol = max(self.rtol / 10, self.finest)
            alignment = self._align(self._probes(now))
            found = self._found(alignment)
        if not found and self.quantized:  # nothing is wrong but what the rounding cuts off
            self.rtol = _QUANTIZED
            alignment = self._align(self._probes(now), rounded=True)
            found = self._found(alignment)
        known = {(fault.target, fault.evidence): number for number, fault in enumerate(self.faults)}
        numbers = []
        for fault in found:
            key = (fault.target, fault.evidence)
            if key not in known:
                known[key] = len(self.faults)
                self.faults.append(fault)
            numbers.append(known[key])
        self.recorder.round(alignment, dict(zip(numbers, found, strict=True)))
        del alignment  # all values of both graphs, on each probe
        give_back()
        if not self.problem.repair:
            return False
        judged = self._trial_inputs(now)
        score = self.scorer.score(self.candidate, judged).score
        groups = self._grouped(found, numbers)
        proven = [group for group in groups if all(self.faults[number].proven for number in group)]
        if len(proven) > 1:
            together = self._try(_joined(proven), score, judged)
            if together is not None:
                return True
        accepted = False
        for group in groups:
            better = self._try(group, score, judged)
            if better is not None:
                score, accepted = better, True
        if not accepted and len(groups) > max(len(proven), 1):
            accepted = self._try(_joined(groups), score, judged) is not None
        return accepted

    def _found(self, alignment: Alignment) -> tuple[Fault, ...]:
        give_back()
        errors = propagated_errors(alignment, self.candidate, [region.exit for region in alignment.regions])
        return find_faults(alignment, errors, self.rtol, self.kinds)

    def _try(self, group: tuple[int, ...], before: ScoreRecord, judged: Sequence[int]) -> ScoreRecord | None:
        """Undo faults together; the new score where that is accepted."""
        edits = [edit for number in group for edit in self._edits(self.faults[number])]
        try:
            candidate = apply(self.candidate, edits)
            after = self.scorer.score(candidate, judged).score
        except (EditError, Broken) as error:
            self.trials.append(TrialRecord(group, TrialOutcome.INVALID, str(error), before, None))
            return None
        if after >= before:
            self.trials.append(TrialRecord(group, TrialOutcome.NO_GAIN, "", before, after))
            return None
        self.trials.append(TrialRecord(group, TrialOutcome.ACCEPTED, "", before, after))
        self.candidate = candidate
        self.edits += edits
        return after

    def _edits(self, fault: Fault) -> Iterator[Edit]:
        """What undoes a fault; with a node that is taken out goes the rounding of its output, whose range is its own."""
        for edit in fault.edits:
            yield edit
            if self.quantized and isinstance(edit, Bypass):
                yield from (Bypass(name, 0) for name in rounding_behind(self.candidate, edit.node))

    def _grouped(self, found: Sequence[Fault], numbers: Sequence[int]) -> list[tuple[int, ...]]:
        """The faults of one region are undone together; regions by the order of kinds, then by isolated error."""
        order = {kind: position for position, kind in enumerate(self.problem.settings.strategies)}
        regions: dict[str, list[int]] = {}
        for fault, number in zip(found, numbers, strict=True):
            if fault.kind in order:
                regions.setdefault(fault.exit, []).append(number)

        def rank(group: Iterable[int]) -> tuple[bool, int, float]:
            chosen = [self.faults[number] for number in group]
            first = min(order[fault.kind] for fault in chosen)
            return (not all(fault.proven for fault in chosen), first, -max(fault.isolated for fault in chosen))

        return [tuple(dict.fromkeys(group)) for group in sorted(regions.values(), key=rank)]

    def _align(self, probes: Sequence[int], rounded: bool = False) -> Alignment:
        """Source and candidate aligned; a quantised one without its rounding, unless it is to be seen."""
        candidate = without_rounding(self.candidate) if self.quantized and not rounded else self.candidate
        feeds = self.scorer.sample(probes)
        contract = self.problem.contract
        inputs = {}
        for tensor in contract.inputs:
            rank = len(tensor.source.shape)
            relation = Relation(tensor.permutation) if tensor.permutation is not None else identity(rank)
            inputs[tensor.target.name] = Pair(tensor.target.name, tensor.source.name, relation)
        outputs = {tensor.target.name: tensor.source.name for tensor in contract.outputs}
        give_back()
        return align(self.source, candidate, feeds, inputs, outputs, self.rtol)

    def _rank(self, alignment: Alignment, now: Scored) -> tuple[tuple[LayerScore, ...], str]:
        """The published layer analysis on the steering inputs, and why there is none where it is not possible."""
        groups: tuple[list[int], list[int]] = ([], [])
        for number in self.problem.steering:
            groups[number in now.disagreeing].append(number)
        similar, dissimilar = (
            [(feeds, target_feeds(self.problem.contract, feeds)) for feeds in self.scorer.sample(numbers)]
            for numbers in groups
        )
        layers = core_pairs(self.source, self.candidate, alignment.pairs, self.problem.settings.core_layers)
        reason = unranked(len(layers), len(similar), len(dissimilar))
        if reason:
            return (), reason
        backend = BACK_ENDS[self.problem.layer_analysis]
        return tuple(analyse(self.source, self.candidate, layers, Groups(similar, dissimilar, 0), backend)), ""

    def _probes(self, now: Scored) -> list[int]:
        """Inputs on which the pair differs first, then others."""
        chosen = [*now.unequal[self.rounds % max(len(now.unequal), 1) :], *self.problem.steering]
        return list(dict.fromkeys(chosen))[: self.problem.settings.probes]

    def _trial_inputs(self, now: Scored) -> list[int]:
        """Half of them differ, where there are so many."""
        half = self.problem.settings.trial_inputs // 2
        chosen = dict.fromkeys([*now.unequal[:half], *self.problem.steering, *now.unequal])
        return sorted(list(chosen)[: 2 * half])


def _joined(groups: Iterable[tuple[int, ...]]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(number for group in groups for number in group))
