"""A wrong target diagnosed, its repair lifted into native targets, and each of them verified."""

from __future__ import annotations

import math
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.compare.contract import Contract
from safeconvert.config.options import ConvertOptions
from safeconvert.conversion.models import Export, export
from safeconvert.conversion.route import Candidate, walk
from safeconvert.core.signature import Signature
from safeconvert.core.text import first_line
from safeconvert.errors import SafeconvertError
from safeconvert.lift.candidates import lifted
from safeconvert.pipeline.attempt import try_route
from safeconvert.pipeline.results import Attempt
from safeconvert.registry.routes import routes
from safeconvert.repair.client import diagnose
from safeconvert.repair.interface import conformed
from safeconvert.repair.precision import has_reduced, restorations
from safeconvert.repair.types import Diagnosis
from safeconvert.verification.interface import moved
from safeconvert.verification.source import Source
from safeconvert.verification.types import ExporterCheck
from safeconvert.workers.run import Context

_NEAR = 100
"""How many times farther a target is from its source than an ONNX form from its native model, for the form to serve."""


def repaired(
    context: Context,
    threads: ThreadPoolExecutor,
    attempts: list[Attempt],
    source: Source,
    options: ConvertOptions,
) -> list[Attempt]:
    """The attempts, the first wrong target diagnosed, and after it every repair of it that was lifted and verified.

    Where the source has no batch, nothing is localized: alignment and trials feed rows of a batch.
    """
    if source.data.inputs.whole:
        return attempts
    attempts = _precise(context, threads, attempts, source, options)
    if attempts[-1].outcome == "verified":
        return attempts
    repair = options.repair and options.optimize == "none"
    wrong = attempts[0]
    try:
        subject = None
        for wrong in attempts:
            subject = _subject(context, wrong, source, options)
            if subject is not None:
                break
        if subject is None:
            return attempts
        diagnosis = diagnose(
            context,
            source,
            subject.signature,
            subject.exported,
            subject.agreed,
            options.verify,
            repair,
            options.layer_analysis,
        )
    except SafeconvertError as error:
        note = f"{wrong.reason}; not localized: {first_line(str(error))}"
        return [replace(attempt, reason=note) if attempt is wrong else attempt for attempt in attempts]
    if subject.faults:
        diagnosis = _with_interface(diagnosis, subject, repair)
    attempts = [replace(attempt, diagnosis=diagnosis) if attempt is wrong else attempt for attempt in attempts]
    if diagnosis.repaired is None:
        return attempts
    made = replace(subject.made, reply=replace(moved(subject.agreed), notes=subject.made.reply.notes))
    for lift in lifted(context, diagnosis, made, options, wrong.route, subject.signature):
        if lift.candidate is None:
            tried = Attempt(wrong.route, "crashed", f"{lift.how}: {lift.reason}", lift=lift.how)
        else:
            tried = _verified(context, threads, wrong, lift.candidate, source, options)
            tried = replace(tried, lift=lift.how, diagnosis=diagnosis)
        attempts.append(tried)
        if tried.outcome == "verified":
            break
    return attempts


def _precise(
    context: Context, threads: ThreadPoolExecutor, attempts: list[Attempt], source: Source, options: ConvertOptions
) -> list[Attempt]:
    """The attempts, and after them a reduced TFLite file with ever more of its constants as float32 again."""
    wrong = next(
        (attempt for attempt in attempts if attempt.outcome == "not_equivalent" and attempt.verification), None
    )
    if options.target_format != "tflite" or wrong is None or wrong.verification is None or wrong.candidate is None:
        return attempts
    made, signature = wrong.candidate, source.session.signature
    ways = (wrong.route,) if wrong.route.adapters else routes(source.file.format, "tflite", context.adapters)
    keep = options.keep_precision or not options.repair
    try:
        if not has_reduced(context, made.path):
            return attempts
        twin = walk(context, ways[0], source.request, signature, source.exported, "twin.tflite", options.opset, "none")
        for found in restorations(
            context, source, wrong.verification.agreed, options.verify, made.path, twin.path, keep
        ):
            if keep:
                return [replace(a, diagnosis=found.diagnosis) if a is wrong else a for a in attempts]
            tried = _verified(context, threads, wrong, replace(made, path=found.path), source, options)
            tried = replace(tried, lift=f"in the tflite file: {found.cost}", diagnosis=found.diagnosis)
            attempts = [*attempts, tried]
            if tried.outcome == "verified":
                break
    except SafeconvertError as error:
        note = f"{wrong.reason}; precision not repaired: {first_line(str(error))}"
        return [replace(attempt, reason=note) if attempt is wrong else attempt for attempt in attempts]
    return attempts


def _verified(
    context: Context,
    threads: ThreadPoolExecutor,
    wrong: Attempt,
    candidate: Candidate,
    source: Source,
    options: ConvertOptions,
) -> Attempt:
    """A repaired target held against the source, in a fresh process."""
    done: Future[Candidate] = Future()
    done.set_result(candidate)
    context.pool.worker("target").close()
    return try_route(context, threads, wrong.route, source, candidate.path.name, options, done)


@dataclass(frozen=True)
class _Subject:
    """A wrong target whose ONNX form the engine can work on.

    Attributes:
        made: the native file.
        agreed: contract of the source and the ONNX form's native meaning.
        signature: of the target, as the ONNX form stands for it.
        exported: the ONNX form.
        faults: of the interface, undone in the ONNX form already.
    """

    made: Candidate
    agreed: Contract
    signature: Signature
    exported: Export
    faults: tuple[dict[str, Any], ...] = ()


def _subject(context: Context, attempt: Attempt, source: Source, options: ConvertOptions) -> _Subject | None:
    """The target of an attempt, where both ONNX forms are there and stand for their native models.

    Faults of exporters are not the target's. Where the target's interface is not the source's, its ONNX form is given
    the source's; it is not held against its native model then, and only the repaired native file is verified.
    """
    verification = attempt.verification
    if attempt.outcome != "not_equivalent" or attempt.candidate is None or source.exported.path is None:
        return None
    apart = verification.native.relative if verification is not None else 0.0
    if not stands_for(source.exporter.result(), apart):
        return None
    if attempt.interface is not None:
        request = ModelRequest(str(attempt.candidate.path))
        exported = export(
            context, "convert", options.target_format, request, attempt.interface, options.opset, "target"
        )
        if exported.path is None:
            return None
        same = conformed(context, source, attempt.interface, exported.path)
        return _Subject(attempt.candidate, same.agreed, same.signature, Export("", same.path, ""), same.faults)
    if verification is None or verification.exported.path is None or not stands_for(verification.exporter, apart):
        return None
    return _Subject(attempt.candidate, verification.agreed, verification.target, verification.exported)


def stands_for(check: ExporterCheck, apart: float) -> bool:
    """Whether an ONNX form is its native model, or so near that what lies between source and target is another matter.

    Deep nets amplify rounding to about the tolerance; a form that is a hundredth as far from its model as the target is
    from the source, and gives all of its labels, still shows the target's faults. The verdict stays native.
    """
    if check.verdict in ("equal", "none"):
        return True
    figures = check.figures
    near = figures is not None and figures.disagreements == 0 and figures.nonfinite == 0
    return near and figures is not None and math.isfinite(figures.relative) and _NEAR * figures.relative <= apart


def _with_interface(diagnosis: Diagnosis, subject: _Subject, repair: bool) -> Diagnosis:
    """What was undone of the interface goes after the engine's faults, so that its trials still point at theirs."""
    found = len(diagnosis.faults)
    trial = {
        "faults": list(range(found, found + len(subject.faults))),
        "outcome": "accepted",
        "reason": "",
        "before": {"discrepancy": 1.0, "distance": "inf", "labels": 1.0, "max_abs": "inf"},
        "after": {name: value for name, value in diagnosis.before.items() if name != "unequal"},
    }
    return replace(
        diagnosis,
        faults=(*diagnosis.faults, *subject.faults),
        trials=(trial, *diagnosis.trials) if repair else diagnosis.trials,
        before={**trial["before"], "unequal": diagnosis.before["unequal"]},  # type: ignore[dict-item]
        repaired=(diagnosis.repaired or subject.exported.path) if repair else None,
        changes=None,  # the interface is more than weights
    )
