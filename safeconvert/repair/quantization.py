"""Quantised targets proposed: all of it in few bits first; where that loses too much, with the fewest operators left in float.

Each operator is first judged alone, quantised while all others compute in float: how far it moves the outputs. Then the worst are left in
float until the steering inputs are satisfied (`fewest`). What satisfies them is verified on the held-out inputs, by the pipeline.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from safeconvert.compare.comparison import Comparison
from safeconvert.compare.settings import VerifySettings
from safeconvert.conversion.models import evaluate, open_model
from safeconvert.core.faults import Change, FaultKind, FaultRecord
from safeconvert.core.optimize import Io
from safeconvert.repair.fewest import Trial, distance, fewest, record, widened
from safeconvert.repair.proposals import NotMade, TargetProposal
from safeconvert.repair.quantized_file import QuantizedFile, Quantizer
from safeconvert.repair.types import Diagnosis
from safeconvert.verification.interface import request_like
from safeconvert.verification.native import feed_across
from safeconvert.verification.scored import labels_of, steering_figures
from safeconvert.verification.subset import Subset, subset
from safeconvert.workers.run import Run

_PROPOSALS = 4  # files with operators in float that are shown to the held-out inputs


@dataclass(frozen=True)
class QuantizedProposal(TargetProposal):
    """A quantised target. `file` says what of it computes in float, and its size; None where none was made."""

    file: QuantizedFile | None = None


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

    def judge(self, keep: Sequence[int], on: Subset) -> Comparison:
        """Figures of the file with these operators in float; equal where the metric, or else the comparator, allows it."""
        operators, target = self.quantizer.operators, self.quantizer.target
        made = self.quantizer.write([operators[index].name for index in keep], Io.FLOAT32)
        request = request_like(made.candidate.path, target.source.session.signature)
        session = open_model(self.run, "target", target.target_format, request)
        outputs = evaluate(
            self.run, session, feed_across(target.contract, on.chunks, self.run.folder("feed")), "trying precisions"
        )
        session.close()
        made.candidate.path.unlink()
        return steering_figures(target.contract, on, outputs, self.labels, self.settings)


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
    whole = quantizer.write(())
    yield QuantizedProposal(_described(quantizer, whole, 0), whole.candidate, source, file=whole)
    if not quantizer.operators or source.data.inputs.whole:
        return
    search = _ranked(run, quantizer, settings)
    trials: list[Trial] = [([], search.judge([], search.steering))]
    ranked = sorted(search.harm, key=lambda index: -search.harm[index])
    if not repair:
        reason = "nothing is left in float32 where nothing is to be repaired"
        yield QuantizedProposal(
            "operators judged alone", NotMade(reason), source, _diagnosis(search, ranked, [], trials)
        )
        return

    def enough(keep: list[int]) -> bool:
        figures = search.judge(keep, search.steering)
        trials.append((keep, figures))
        return figures.equal

    chosen = fewest(ranked, enough, run.settings.repair.precision_trials)
    for _ in range(_PROPOSALS):
        if len(chosen) == len(ranked):
            break
        made = quantizer.write([quantizer.operators[index].name for index in chosen])
        if not made.in_few_bits:
            break
        diagnosis = _diagnosis(search, ranked, chosen, trials)
        text = _described(quantizer, made, len(chosen))
        yield QuantizedProposal(text, made.candidate, source, diagnosis, file=made)
        chosen = widened(chosen, ranked)
    else:
        return
    reason = "with any operator in few bits it loses more than allowed"
    yield QuantizedProposal(
        "operators left in float32", NotMade(reason), source, _diagnosis(search, ranked, [], trials)
    )


def _ranked(run: Run, quantizer: Quantizer, settings: VerifySettings) -> _Search:
    """Each operator judged alone, all others in float."""
    source = quantizer.target.source
    numbers = [int(number) for number in source.steering]
    labels = labels_of(source)
    own = labels[numbers] if labels is not None else None
    search = _Search(run, quantizer, settings, subset(run, source, numbers, first=8), own)
    probes = search.steering.first(1)  # the ranking needs an order, not a verdict
    indices = range(len(quantizer.operators))
    harm = {one: distance(search.judge([index for index in indices if index != one], probes)) for one in indices}
    return replace(search, harm=harm)


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


def _described(quantizer: Quantizer, made: QuantizedFile, kept: int) -> str:
    """How a quantised file came about, in words: what was measured on, what is in float, and sizes."""
    target = quantizer.target
    left = f", {kept} of {len(quantizer.operators)} operators left in float32" if kept else ""
    return (
        f"{target.optimize}, calibrated on {target.calibration.inputs} steering inputs{left}: {made.float_bytes} bytes became "
        f"{made.bytes}"
    )
