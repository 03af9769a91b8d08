"""A wrong target repaired: diagnosed in ONNX, the repair lifted into native targets, and each of these verified."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.compare.comparison import Comparison
from safeconvert.config.options import ConvertOptions
from safeconvert.conversion.models import Wanted, export
from safeconvert.conversion.route import Candidate, RouteRun
from safeconvert.core.faults import FaultRecord, ScoreRecord, TrialOutcome, TrialRecord
from safeconvert.core.text import first_line
from safeconvert.errors import SafeconvertError
from safeconvert.lift.candidates import lift_repair
from safeconvert.pipeline.export_stage import explain_searched, native_sides
from safeconvert.pipeline.proposals import verify_proposals
from safeconvert.pipeline.results import Attempt, Compared, Incomparable
from safeconvert.registry.routes import routes
from safeconvert.repair.client import OnnxPair, diagnose, onnx_pair
from safeconvert.repair.input_dimensions import match_interface
from safeconvert.repair.native_names import with_layers
from safeconvert.repair.precision import ReducedTarget, float_twin, has_reduced, localize_precision, restorations
from safeconvert.repair.proposals import Regraph
from safeconvert.repair.types import Diagnosis
from safeconvert.verification.counterexamples import with_counterexamples
from safeconvert.verification.faithful import export_is_faithful
from safeconvert.verification.interface import moved
from safeconvert.verification.source import Source
from safeconvert.verification.types import Verification
from safeconvert.workers.run import Run

_SEARCHES = 3  # repairs of one target, each by the inputs on which a search refuted those before
_NOT_IN_ONNX = "not localized: the ONNX forms are equal on the inputs on which the models differ"


def repair_target(
    run: Run, attempts: Sequence[Attempt], source: Source, options: ConvertOptions
) -> tuple[Source, list[Attempt]]:
    """The source and the attempts, the first wrong target diagnosed, and after it every repair of it that was lifted and verified.

    Inputs that a search found a target to differ on steer its repair, and are no evidence of the repaired one. Where a search finds others
    on which that differs, the target is repaired anew by these too.
    """
    attempts = restore_precision(run, attempts, source, options)
    if attempts[-1].verified:
        return source, attempts
    diagnosed, tried, seen = attempts, [], attempts
    for _ in range(_SEARCHES):
        source = with_counterexamples(run, source, [one.verification for one in seen])
        source, attempts = explain_searched(run, source, attempts, options.verify, repair=True)
        repaired = _repaired(run, attempts, source, options)
        diagnosed, seen = repaired[: len(attempts)], repaired[len(attempts) :]
        tried += seen
        found = [one.verification for one in seen if one.verification is not None]
        if not any(one.refuted_by_search for one in found) or seen[-1].verified:
            break
    return source, [*diagnosed, *tried]


def _repaired(run: Run, attempts: Sequence[Attempt], source: Source, options: ConvertOptions) -> list[Attempt]:
    """The attempts, the first wrong target diagnosed, and its repairs behind them."""
    repair = options.repair and options.optimize == "none"
    wrong = attempts[0]
    try:
        subject = None
        for wrong in attempts:
            subject = _subject(run, wrong, source, options)
            if subject is not None:
                break
        if subject is None:
            return list(attempts)
        diagnosis = diagnose(run, subject.pair, options.verify, repair, options.layer_analysis)
        diagnosis = with_layers(run, diagnosis, subject.pair, *native_sides(run, source, wrong, subject.pair.contract))
    except SafeconvertError as error:
        return _changed(attempts, wrong, note=_noted(wrong, "not localized", error))
    if subject.faults:
        diagnosis = _with_interface(diagnosis, subject, repair)
    equal = not diagnosis.faults and not diagnosis.before.unequal
    note = _joined(wrong.note, _NOT_IN_ONNX) if equal else wrong.note
    attempts = _changed(attempts, wrong, diagnosis=diagnosis, note=note)
    if diagnosis.repaired is None:
        return attempts
    made = replace(subject.made, reply=replace(moved(subject.pair.contract), notes=subject.made.reply.notes))
    converter = wrong.route.adapters[-1] if wrong.route.adapters else None
    repaired = Regraph(diagnosis.repaired, subject.pair.target, made, converter)
    lifted = lift_repair(run, diagnosis, repaired, source, options)
    return [*attempts, *verify_proposals(run, lifted, wrong.route, options)]


def restore_precision(run: Run, attempts: Sequence[Attempt], source: Source, options: ConvertOptions) -> list[Attempt]:
    """The attempts, and after them a reduced TFLite file with ever more of its constants as float32 again."""
    wrong = next((one for one in attempts if isinstance(one.result, Compared) and not one.verified), None)
    if options.target_format != "tflite" or wrong is None or not isinstance(wrong.result, Compared):
        return list(attempts)
    found = list(attempts)
    try:
        if not has_reduced(run, wrong.result.candidate.path):
            return found
        target = _beside_twin(run, wrong, wrong.result, source, options)
        if options.keep_precision or not options.repair:
            diagnosis = localize_precision(run, target, options.verify)
            return _changed(found, wrong, diagnosis=diagnosis) if diagnosis is not None else found
        for attempt in verify_proposals(run, restorations(run, target, options.verify), wrong.route, options):
            found.append(attempt)
    except SafeconvertError as error:
        return _changed(found, wrong, note=_noted(wrong, "precision not repaired", error))
    return found


def _beside_twin(
    run: Run, wrong: Attempt, compared: Compared, source: Source, options: ConvertOptions
) -> ReducedTarget:
    """A reduced target and its float twin."""
    route = wrong.route if wrong.route.adapters else routes(source.file.format, "tflite", run.adapters)[0]
    job = RouteRun(
        route, source.request, source.session.signature, source.exported, compared.candidate.path.name, options
    )
    return ReducedTarget(source, compared.verification.contract, compared.candidate, float_twin(run, job))


def _changed(attempts: Sequence[Attempt], one: Attempt, **fields: Any) -> list[Attempt]:
    """The attempts, other fields in one of them."""
    return [replace(attempt, **fields) if attempt is one else attempt for attempt in attempts]


def _noted(attempt: Attempt, what: str, error: Exception) -> str:
    """The attempt's note, and what could not be done about it."""
    return _joined(attempt.note, f"{what}: {first_line(str(error))}")


def _joined(known: str, note: str) -> str:
    return f"{known}; {note}" if known else note


@dataclass(frozen=True)
class _Subject:
    """A wrong target whose ONNX form the engine can work on.

    Attributes:
        made: the native file.
        pair: both ONNX forms, and the contract of the source and what the target's stands for.
        faults: of the interface, undone in the ONNX form already.
    """

    made: Candidate
    pair: OnnxPair
    faults: tuple[FaultRecord, ...] = ()


def _subject(run: Run, attempt: Attempt, source: Source, options: ConvertOptions) -> _Subject | None:
    """The target of an attempt, where both ONNX forms are there and are faithful to their native models.

    Faults of exporters are not the target's. Where the target's interface is not the source's, its ONNX form is given
    the source's; it is not compared with its native model then, and only the repaired native file is verified.
    """
    result = attempt.result
    if isinstance(result, Incomparable):
        return _with_source_interface(run, result, source, options)
    if not isinstance(result, Compared) or attempt.verified:
        return None
    verification = result.verification
    apart = max(figures.relative for figures in _refuting(verification))
    pair = onnx_pair(source, verification)
    faithful = all(
        side.reference is not None or export_is_faithful(check, apart)
        for side, check in ((source, source.exporter.result()), (verification, verification.exporter))
    )
    return _Subject(result.candidate, pair) if pair is not None and faithful else None


def _refuting(verification: Verification) -> list[Comparison]:
    """The figures of the inputs of the run, and of those on which a search found the models to differ."""
    searched = verification.searched.figures if verification.searched is not None else None
    return [verification.native, *([searched] if searched is not None else [])]


def _with_source_interface(run: Run, result: Incomparable, source: Source, options: ConvertOptions) -> _Subject | None:
    """The ONNX form of a target, given the source's inputs and outputs."""
    ours = (source.reference or source.exported).path
    faithful = source.reference is not None or export_is_faithful(source.exporter.result(), 0.0)
    if result.interface is None or ours is None or not faithful:
        return None
    request = ModelRequest(str(result.candidate.path))
    exported = export(run, "convert", options.target_format, request, result.interface, Wanted("target", options.opset))
    if exported.path is None:
        return None
    same = match_interface(run, source, result.interface, exported.path)
    pair = OnnxPair(source, ours, same.signature, same.path, same.contract)
    return _Subject(result.candidate, pair, same.faults)


def _with_interface(diagnosis: Diagnosis, subject: _Subject, repair: bool) -> Diagnosis:
    """What was undone of the interface goes after the engine's faults, so that its trials still point at theirs."""
    found = len(diagnosis.faults)
    undone = tuple(range(found, found + len(subject.faults)))
    incomparable = ScoreRecord(1.0, math.inf, 1.0, math.inf)
    trial = TrialRecord(undone, TrialOutcome.ACCEPTED, "", incomparable, diagnosis.before.score)
    return replace(
        diagnosis,
        faults=(*diagnosis.faults, *subject.faults),
        trials=(trial, *diagnosis.trials) if repair else diagnosis.trials,
        before=replace(diagnosis.before, score=incomparable),
        repaired=(diagnosis.repaired or subject.pair.target_graph) if repair else None,
        changes=None,  # the interface is more than weights
    )
