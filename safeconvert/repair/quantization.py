"""Quantised targets proposed: all of it in few bits first; where that loses too much, with the fewest operators left in float.

Biases are corrected for the rounding of the weights where that is better on the steering inputs. Where all of it in few bits loses more there than
is aimed at, and a few operators in float help, that is proposed first, although the bound might allow the other. Each operator is first judged alone, quantised while all others compute in float: how far it moves the outputs. Then the worst are left in
float until the steering inputs are satisfied (`fewest`). What satisfies them is verified on the held-out inputs, by the pipeline.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from safeconvert.compare.comparison import Comparison
from safeconvert.compare.settings import VerifySettings
from safeconvert.conversion.models import evaluate, open_model
from safeconvert.core.faults import Change, FaultKind, FaultRecord
from safeconvert.core.optimize import Io
from safeconvert.repair.fewest import Trial, distance, fewest, record, widened
from safeconvert.repair.proposals import NotMade, TargetProposal
from safeconvert.repair.quantized_file import QuantizedFile, Quantizer, with_corrected_biases
from safeconvert.repair.types import Diagnosis
from safeconvert.verification.interface import request_like
from safeconvert.verification.native import feed_across
from safeconvert.verification.scored import labels_of, steering_judged
from safeconvert.verification.subset import Subset, subset
from safeconvert.workers.run import Run

_PROPOSALS = 4  # files with operators in float that are shown to the held-out inputs


@dataclass(frozen=True)
class QuantizedProposal(TargetProposal):
    """A quantised target.

    Attributes:
        file: what of it computes in float, and its size; None where none was made.
        plain: the file as the quantizer alone makes it of the float target.
    """

    file: QuantizedFile | None = None
    plain: Path | None = None


@dataclass(frozen=True)
class _Judged:
    """Figures on the steering inputs, and by how much the metric falls there; 0 where there is no metric."""

    figures: Comparison
    fall: float

    def better(self, other: _Judged, aim: float) -> bool:
        """Whether this is nearer to the aim than another; where both are at it, to the source."""
        return self._key(aim) < other._key(aim)

    def _key(self, aim: float) -> tuple[bool, float, float]:
        return not self.figures.equal, max(self.fall, aim), distance(self.figures)


@dataclass(frozen=True)
class _Search:
    """What quantised files are judged on.

    Attributes:
        quantizer: that makes them.
        settings: what counts as equal.
        steering: the steering inputs, and the source's outputs on them.
        labels: of these, by number; None where there are none.
        harm: by place of an operator, how far it alone moves the outputs.
    """

    run: Run
    quantizer: Quantizer
    settings: VerifySettings
    steering: Subset
    labels: np.ndarray | None
    harm: Mapping[int, float] = field(default_factory=dict)

    def judge(self, keep: Sequence[int], on: Subset) -> _Judged:
        """The file with these operators in float; equal where the metric, or else the comparator, allows it."""
        operators, target = self.quantizer.operators, self.quantizer.target
        made = self.quantizer.write([operators[index].name for index in keep], Io.FLOAT32)
        request = request_like(made.candidate.path, target.source.session.signature)
        session = open_model(self.run, "target", target.target_format, request)
        outputs = evaluate(
            self.run, session, feed_across(target.contract, on.chunks, self.run.folder("feed")), "trying precisions"
        )
        session.close()
        made.candidate.path.unlink()
        figures, drop = steering_judged(target.contract, on, outputs, self.labels, self.settings)
        return _Judged(figures, drop.fall if drop is not None else 0.0)


def quantized_targets(
    run: Run, quantizer: Quantizer, settings: VerifySettings, repair: bool
) -> Iterator[QuantizedProposal]:
    """Propose quantised targets, each made when those before it did not verify.

    Args:
        run: the surroundings.
        quantizer: of the float target.
        settings: what counts as equal.
        repair: operators may be left in float; else they are only judged.

    Raises:
        AdapterFailure, UnusableInput: the quantizer fails, or what it makes does not run.
    """
    source = quantizer.target.source
    plain = quantizer.write(())
    if source.data.inputs.whole:
        yield QuantizedProposal(_described(plain, quantizer, 0), plain.candidate, source, file=plain)
        return
    search, whole = _best(_search(run, quantizer, settings), plain.candidate.path, repair)
    for proposal in _proposed(search, whole, repair):
        yield replace(proposal, plain=plain.candidate.path)


def _best(search: _Search, plain: Path, repair: bool) -> tuple[_Search, _Judged]:
    """With biases corrected or as the quantizer alone makes it, whichever is better on the steering inputs; and how it is judged."""
    aim = search.run.settings.quantize.aimed_fall
    judged = search.judge([], search.steering)
    if not repair:
        return search, judged
    other = replace(search, quantizer=with_corrected_biases(search.quantizer, plain))
    if not other.quantizer.corrected:
        return search, judged
    corrected = other.judge([], other.steering)
    return (other, corrected) if corrected.better(judged, aim) else (search, judged)


def _proposed(search: _Search, whole: _Judged, repair: bool) -> Iterator[QuantizedProposal]:
    quantizer, run = search.quantizer, search.run
    source, settings = quantizer.target.source, run.settings
    trials: list[Trial] = [([], whole.figures)]
    aim, ranked = settings.quantize.aimed_fall, list[int]()

    def judged(keep: list[int]) -> _Judged:
        found = search.judge(keep, search.steering)
        trials.append((keep, found.figures))
        return found

    integers_only = quantizer.target.io is not Io.FLOAT32  # for hardware that may know nothing else
    if repair and quantizer.operators and not integers_only and whole.figures.equal and whole.fall > aim:
        search, ranked = _ranked(search)
        most = ranked[: int(settings.quantize.aimed_share * len(ranked))]

        def aimed(keep: list[int]) -> bool:
            found = judged(keep)
            return found.figures.equal and found.fall <= aim

        if most and aimed(most):
            chosen = fewest(most, aimed, settings.repair.precision_trials)
            yield _with_float(search, ranked, chosen, trials)
    made = quantizer.write(())
    yield QuantizedProposal(_described(made, quantizer, 0), made.candidate, source, file=made)
    if not quantizer.operators:
        return
    if not ranked:
        search, ranked = _ranked(search)
    if not repair:
        reason = "nothing is left in float32 where nothing is to be repaired"
        yield QuantizedProposal(
            "operators judged alone", NotMade(reason), source, _diagnosis(search, ranked, [], trials)
        )
        return
    chosen = fewest(ranked, lambda keep: judged(keep).figures.equal, settings.repair.precision_trials)
    for _ in range(_PROPOSALS):
        if len(chosen) == len(ranked):
            break
        proposal = _with_float(search, ranked, chosen, trials)
        if proposal.file is None or not proposal.file.in_few_bits:
            break
        yield proposal
        chosen = widened(chosen, ranked)
    else:
        return
    reason = "with any operator in few bits it loses more than allowed"
    yield QuantizedProposal(
        "operators left in float32", NotMade(reason), source, _diagnosis(search, ranked, [], trials)
    )


def _with_float(
    search: _Search, ranked: Sequence[int], chosen: Sequence[int], trials: Sequence[Trial]
) -> QuantizedProposal:
    """The file with the chosen operators in float."""
    quantizer = search.quantizer
    made = quantizer.write([quantizer.operators[index].name for index in chosen])
    text, diagnosis = _described(made, quantizer, len(chosen)), _diagnosis(search, ranked, chosen, trials)
    return QuantizedProposal(text, made.candidate, quantizer.target.source, diagnosis, file=made)


def _search(run: Run, quantizer: Quantizer, settings: VerifySettings) -> _Search:
    source = quantizer.target.source
    numbers = [int(number) for number in source.steering]
    labels = labels_of(source)
    own = labels[numbers] if labels is not None else None
    return _Search(run, quantizer, settings, subset(run, source, numbers, first=8), own)


def _ranked(search: _Search) -> tuple[_Search, list[int]]:
    """Each operator judged alone, all others in float: the most harmful first."""
    probes = search.steering.first(1)  # the ranking needs an order, not a verdict
    indices = range(len(search.quantizer.operators))
    harm = {
        one: distance(search.judge([index for index in indices if index != one], probes).figures) for one in indices
    }
    return replace(search, harm=harm), sorted(harm, key=lambda index: -harm[index])


def _diagnosis(search: _Search, ranked: Sequence[int], chosen: Sequence[int], trials: Sequence[Trial]) -> Diagnosis:
    """The state of the search: every operator is a WB fault, proven where it had to be left in float."""
    operators = search.quantizer.operators
    kind = search.quantizer.target.optimize
    faults = []
    for index in ranked:
        harm, left = search.harm[index], index in chosen
        evidence = f"computed in {kind}, which alone moves the outputs by {harm:.3g} on average; {'left in float32' if left else 'kept'}"
        name = operators[index].name.partition(";")[0]  # fused operators list all that they stand for
        faults.append(
            FaultRecord(
                FaultKind.WEIGHTS, "", name, operators[index].kind, Change.PRECISION, evidence,
                isolated=harm, propagated=harm, proven=left,
            )
        )  # fmt: skip
    return record(faults, {index: rank for rank, index in enumerate(ranked)}, chosen, trials)


def _described(made: QuantizedFile, quantizer: Quantizer, kept: int) -> str:
    """How a quantised file came about, in words: what was measured on, what is in float, and sizes."""
    target = quantizer.target
    corrected = f", biases of {made.corrected} layers corrected" if made.corrected else ""
    left = f", {kept} of {len(quantizer.operators)} operators left in float32" if kept else ""
    return (
        f"{target.optimize}, calibrated on {target.calibration.inputs} steering inputs{corrected}{left}: {made.float_bytes} bytes became "
        f"{made.bytes}"
    )
