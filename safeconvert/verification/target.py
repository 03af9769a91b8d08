"""A native target compared with its source, on the steering inputs first and on the held-out ones for the verdict."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from safeconvert.compare.discrepancy import Accumulator
from safeconvert.compare.quantized import is_quantized
from safeconvert.compare.settings import VerifySettings
from safeconvert.conversion.models import evaluate
from safeconvert.core.faults import ExporterVerdict
from safeconvert.verification.batching import Regrouped, has_rows, mixes, regrouped_target
from safeconvert.verification.mixing import saved_in_training
from safeconvert.verification.native import compare, feed_across
from safeconvert.verification.on_given import judged
from safeconvert.verification.one_sided import one_sided
from safeconvert.verification.other_functions import not_compared
from safeconvert.verification.other_sizes import at_other_sizes
from safeconvert.verification.pair import Pair
from safeconvert.verification.purity import unless_impure
from safeconvert.verification.rounding import accept_rounding
from safeconvert.verification.runtimes import with_runtimes
from safeconvert.verification.saturation import with_logits
from safeconvert.verification.scored import fidelities
from safeconvert.verification.search import search
from safeconvert.verification.source import Source, chunks_for, given_only
from safeconvert.verification.source_check import KnownRun
from safeconvert.verification.target_form import TargetFile, checked_form, first_form, with_exporters_form
from safeconvert.verification.types import UNSEEN, Verification
from safeconvert.verification.verdict import ALONE, MIXES, rounding_remarks, verdict_line
from safeconvert.workers.run import Run


def verify_target(run: Run, pair: Pair, settings: VerifySettings) -> Verification:
    """Run a target natively and through ONNX, side by side, and compare it with its source.

    Where it differs, it is compared once more without the inputs on which the source is rounding alone, if there are any: from then on
    `pair.source.current` has them no more.

    Raises:
        AdapterFailure: it does not run natively.
        NotEquivalent: its outputs are not the declared ones.
        NoVerdict: too few inputs are left.
        UnusableInput: the metric that decides cannot be computed.
    """
    pair = replace(pair, source=pair.source.current)
    if settings.given_only or settings.drop is not None:
        return _on_given(run, pair, settings)
    found = _verified(run, pair, settings)
    differs = not found.native.equal or found.exporter.verdict is ExporterVerdict.DIFFERENT
    if not differs or pair.source.settling.settle().numbers == pair.source.numbers:
        return found
    return _verified(run, replace(pair, source=pair.source.settled()), settings)


def _localizable(run: Run, pair: Pair, found: Verification, settings: VerifySettings) -> Verification:
    """A verification; of a target that is not its source, with exporters' forms of both in place of those that were read."""
    if found.native.equal:
        return found
    pair.source.exporter.with_exporter()
    return with_exporters_form(run, _target_file(pair), pair.source, found, settings)


def _target_file(pair: Pair) -> TargetFile:
    session = pair.target.session
    return TargetFile(pair.target.request, session.adapter.format, session.signature, pair.source.exported.opset)


def _on_given(run: Run, pair: Pair, settings: VerifySettings) -> Verification:
    """A target compared on given inputs alone; that it mixes no samples is asked of one that is not the twin of a target that does not."""
    regroup = pair.source.regroup if not settings.given_only else None
    pair = replace(pair, source=given_only(pair.source))
    ran = _compared(run, pair, settings)
    found = _unmixed(run, pair, judged(ran.found, ran.figures, pair.source, settings, ran.refuting), settings, regroup)
    return _localizable(run, pair, with_runtimes(run, pair, found, settings), settings)


def _verified(run: Run, pair: Pair, settings: VerifySettings) -> Verification:
    return _localizable(run, pair, _searched(run, pair, settings), settings)


def _searched(run: Run, pair: Pair, settings: VerifySettings) -> Verification:
    source = pair.source
    ran = _compared(run, pair, settings)
    found = accept_rounding(run, pair, ran.found, ran.figures, settings)
    found = _unmixed(run, pair, found, settings, source.regroup)
    if found.reason:
        return found
    if not found.native.equal:
        return replace(found, reason=verdict_line(found, source, ran.refuting))
    found = with_logits(run, source, replace(found, remarks=(*found.remarks, *rounding_remarks(found))), settings)
    if not found.native.equal:
        return found
    found = _sized(run, pair, found, settings)
    if not found.native.equal:
        return found
    found = search(run, pair, found, settings)
    return with_runtimes(run, pair, replace(found, reason=verdict_line(found, source)), settings)


def _unmixed(
    run: Run, pair: Pair, found: Verification, settings: VerifySettings, regroup: Regrouped | None
) -> Verification:
    """A verification of an equal target, refused where it is no function, or gives other outputs in calls of other sizes."""
    session = pair.target.session
    found = unless_impure(session, found)
    if found.native.equal:
        told = saved_in_training(run, session, pair.target.request)
        contract = replace(found.contract, obligations=(*found.contract.obligations, *told))
        found = replace(found, contract=contract)
    shown = regroup if found.native.equal and has_rows(session.signature) else None
    own = regrouped_target(run, shown, pair.source.data.chunks, found.outputs) if shown is not None else None
    if own is not None and mixes(run, session, own, pair.contract, settings):
        return replace(found, native=replace(found.native, equal=False), reason=MIXES)
    return found


def _sized(run: Run, pair: Pair, found: Verification, settings: VerifySettings) -> Verification:
    """A verification of an equal target, refused where it is another function at other sizes that it takes as the source does."""
    sizes = at_other_sizes(run, pair, settings, found.native, found.exported)
    found = replace(found, sizes=sizes)
    if not sizes.differing:
        return found
    equal = verdict_line(found, pair.source)
    return replace(found, native=replace(found.native, equal=False), reason=f"the target {sizes.differing}; {equal}")


@dataclass(frozen=True)
class _Ran:
    """Both models run, and compared by the comparator alone.

    Attributes:
        found: the comparison, without a reason yet.
        figures: of all inputs.
        refuting: numbers of the steering inputs that refute the target; None where none does.
    """

    found: Verification
    figures: Accumulator
    refuting: np.ndarray | None


def _compared(run: Run, pair: Pair, settings: VerifySettings) -> _Ran:
    source, session, contract = pair.source, pair.target.session, pair.contract
    data = source.data
    target = _target_file(pair)
    forming = run.threads.submit(first_form, run, target)
    try:
        feeds = feed_across(contract, data.chunks, run.folder("feed"))
        outputs = evaluate(run, session, feeds, "running the target")
        source.exporter.offer(KnownRun(pair.target.candidate.sha256, feeds, outputs))
        figures = compare(contract, source.outputs, outputs, data.chunks, settings)
    finally:
        form = forming.result()
    refuting = _refuting(source, figures)
    native = figures.result(source.held_out if refuting is None else refuting)
    joined = figures.result(source.joined) if len(source.joined) else None
    if native.equal and joined is not None and not joined.equal:
        native = replace(native, equal=False)
    found = Verification(contract, native, UNSEEN, "", session.signature, form, outputs, joined)
    found = checked_form(run, target, form, chunks_for(data, feeds), source, found, settings)
    if not native.equal:
        source.exporter.on_all()
    alone = () if source.data.generated or source.data.extra else (ALONE,)
    told = (*alone, *source.remarks, *not_compared(session, "target"))
    found = replace(found, remarks=(*told, *one_sided(run, source.exported, found.exported, feeds)))
    if any(is_quantized(tensor.source) or is_quantized(tensor.target) for tensor in contract.outputs):
        found = replace(found, fidelity=fidelities(contract, source, outputs, source.held_out))
    return _Ran(found, figures, refuting)


def _refuting(source: Source, figures: Accumulator) -> np.ndarray | None:
    """The steering inputs that refute a target: the given ones where these do, else all; None where none does."""
    given = source.steering[source.steering < source.data.inputs.count]
    for numbers in (given, source.steering):
        if len(numbers) and not figures.result(numbers).equal:
            return numbers
    return None
