"""A wrong target diagnosed, its repair lifted into native targets, and each of them verified."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

from safeconvert.attempt import try_route
from safeconvert.context import Context
from safeconvert.diagnosis import diagnose
from safeconvert.errors import SafeconvertError
from safeconvert.isolation import AdapterFailure, first_line
from safeconvert.lift.candidates import lifted
from safeconvert.options import ConvertOptions
from safeconvert.results import Attempt
from safeconvert.route import Candidate
from safeconvert.source import Source


def repaired(
    context: Context,
    threads: ThreadPoolExecutor,
    attempts: list[Attempt],
    source: Source,
    options: ConvertOptions,
) -> list[Attempt]:
    """The attempts, the first wrong target diagnosed, and after it every repair of it that was lifted and verified."""
    wrong = next((attempt for attempt in attempts if _can_be_diagnosed(attempt, source)), None)
    if wrong is None or wrong.verification is None or wrong.candidate is None:
        return attempts
    verification, made = wrong.verification, wrong.candidate
    repair = options.repair and options.optimize == "none"
    try:
        diagnosis = diagnose(
            context,
            source,
            verification.target,
            verification.exported,
            verification.agreed,
            options.verify,
            repair,
            options.layer_analysis,
        )
    except (AdapterFailure, SafeconvertError) as error:
        note = f"{wrong.reason}; not localized: {first_line(str(error))}"
        return [replace(attempt, reason=note) if attempt is wrong else attempt for attempt in attempts]
    attempts = [replace(attempt, diagnosis=diagnosis) if attempt is wrong else attempt for attempt in attempts]
    if diagnosis.repaired is None:
        return attempts
    for lift in lifted(context, diagnosis, made, options.target_format, verification.target, options.optimize):
        if lift.candidate is None:
            tried = Attempt(wrong.route, "crashed", f"{lift.how}: {lift.reason}", lift=lift.how)
        else:
            done: Future[Candidate] = Future()
            done.set_result(lift.candidate)
            context.pool.worker("target").close()  # the emitted file is verified in a fresh process
            tried = try_route(context, threads, wrong.route, source, made.path.name, options, done)
            tried = replace(tried, lift=lift.how, diagnosis=diagnosis)
        attempts.append(tried)
        if tried.outcome == "verified":
            break
    return attempts


def _can_be_diagnosed(attempt: Attempt, source: Source) -> bool:
    """Whether both ONNX forms are there and equal to their native models: faults of exporters are not the target's."""
    verification = attempt.verification
    if attempt.outcome != "not_equivalent" or verification is None or verification.exported.path is None:
        return False
    sound = ("equal", "none")
    return (
        source.exported.path is not None
        and source.exporter.result().verdict in sound
        and verification.exporter.verdict in sound
    )
