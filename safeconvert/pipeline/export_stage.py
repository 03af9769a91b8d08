"""Faults of exporters: named by the native model's layers, and an ONNX form without them found for localization and repair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from safeconvert.compare.contract import Contract
from safeconvert.compare.settings import VerifySettings
from safeconvert.conversion.models import Export, open_model
from safeconvert.core.faults import ExporterVerdict
from safeconvert.core.formats import detect
from safeconvert.errors import SafeconvertError
from safeconvert.inputs.store import Chunk
from safeconvert.pipeline.results import Attempt, Compared
from safeconvert.repair.export_faults import NativeSide, explain_export, source_side, target_side, widened
from safeconvert.verification.faithful import export_is_faithful
from safeconvert.verification.interface import request_like
from safeconvert.verification.native import feed_across
from safeconvert.verification.rounding import accept_export_rounding
from safeconvert.verification.source import Source, chunks_for
from safeconvert.verification.source_check import FinishedCheck
from safeconvert.verification.types import ExporterCheck, Verification
from safeconvert.workers.run import Run


def explain_exports(
    run: Run, source: Source, attempts: Sequence[Attempt], settings: VerifySettings, repair: bool
) -> tuple[Source, list[Attempt]]:
    """The source and the attempts; where an ONNX form is not its native model, with the layers at which it leaves it.

    Where the attempts are to be repaired, each such side has an ONNX form in `reference` that is the native model, if one is found.

    Args:
        run: the surroundings.
        source: evaluated.
        attempts: those that verified last.
        settings: what counts as equal.
        repair: whether a form without the faults is of use.
    """
    verified = attempts[-1].verified
    looked_at = [attempts[-1]] if verified else [one for one in attempts if isinstance(one.result, Compared)][:2]
    source = _source(run, source, [one.verification for one in looked_at], settings, repair and not verified)
    found = []
    for attempt in attempts:
        if any(attempt is one for one in looked_at) and isinstance(attempt.result, Compared):
            explained = _target(run, source, attempt.result, settings, repair and not verified)
            attempt = replace(attempt, result=replace(attempt.result, verification=explained))
        found.append(attempt)
    return source, found


def explain_searched(
    run: Run, source: Source, attempts: Sequence[Attempt], settings: VerifySettings, repair: bool
) -> tuple[Source, list[Attempt]]:
    """As `explain_exports`, by the inputs on which a search found a target to differ: an exporter may be at fault on these alone.

    Args:
        run: the surroundings.
        source: with the counterexamples.
        attempts: some of which a search refuted.
        settings: what counts as equal.
        repair: whether a form without the faults is of use.
    """
    shown = source.counterexamples
    if not shown:
        return source, list(attempts)
    if source.reference is None:
        check, right = _searched_side(run, source_side(source), shown, settings, repair)
        source = replace(source, exporter=FinishedCheck(check, source.exported), reference=right)
    found = []
    for attempt in attempts:
        result = attempt.result
        if isinstance(result, Compared) and result.verification.refuted_by_search:
            explained = _searched_target(run, source, result, settings, repair)
            attempt = replace(attempt, result=replace(result, verification=explained))
        found.append(attempt)
    return source, found


def _searched_target(
    run: Run, source: Source, compared: Compared, settings: VerifySettings, repair: bool
) -> Verification:
    verification = compared.verification
    if verification.reference is not None or verification.exporter.verdict is not ExporterVerdict.EQUAL:
        return verification
    try:
        side = _target_side(run, source, compared)
        fed = feed_across(verification.contract, source.counterexamples, run.folder("feed"))
    except SafeconvertError:
        return verification  # it does not open again; the verdict has been given without it
    shown = [replace(chunk, arrays=files) for chunk, files in zip(source.counterexamples, fed, strict=True)]
    check, right = _searched_side(run, side, shown, settings, repair)
    return replace(verification, exporter=check, reference=right)


def _searched_side(
    run: Run, side: NativeSide, shown: Sequence[Chunk], settings: VerifySettings, repair: bool
) -> tuple[ExporterCheck, Export | None]:
    """The check of a side, and a right ONNX form, where the form that is equal on all other inputs is not on those searched."""
    check = side.check
    if check.verdict is not ExporterVerdict.EQUAL or len(side.outputs.outputs) < len(side.chunks):
        return check, None
    try:
        wide = widened(run, side, shown, settings)
    except SafeconvertError:
        return check, None  # it does not run on them again
    if wide.check.verdict is not ExporterVerdict.DIFFERENT:
        return check, None
    found, right = explain_export(run, wide, settings, repair)
    figures = None if check.figures is None else replace(check.figures, equal=False)
    reason = f"{found.reason} that a search found"
    check = replace(
        check, verdict=found.verdict, reason=reason, figures=figures, searched=wide.check.figures, faults=found.faults,
        unlocalized=found.unlocalized,
    )  # fmt: skip
    return check, right.exported if right is not None else None


def explain_verification(
    run: Run, source: Source, compared: Compared, settings: VerifySettings
) -> tuple[Source, Verification]:
    """The source and the verification of a target, each with the faults of its exporter; nothing is repaired."""
    source = _source(run, source, [compared.verification], settings, repair=False)
    return source, _target(run, source, compared, settings, repair=False)


def _source(
    run: Run, source: Source, seen: Sequence[Verification | None], settings: VerifySettings, repair: bool
) -> Source:
    check = source.exporter.result()
    if _faithful(run, check, seen):
        return source
    check, right = explain_export(run, source_side(source), settings, repair)
    reference = right.exported if right is not None else None
    return replace(source, exporter=FinishedCheck(check, source.exported), reference=reference)


def _target(run: Run, source: Source, compared: Compared, settings: VerifySettings, repair: bool) -> Verification:
    verification = compared.verification
    if _faithful(run, verification.exporter, [verification]):
        return verification
    try:
        side = _target_side(run, source, compared)
        check, right = explain_export(run, side, settings, repair)
    except SafeconvertError:
        return verification  # it does not open again; the verdict has been given without it
    return replace(verification, exporter=check, reference=right.exported if right is not None else None)


def native_sides(
    run: Run, source: Source, attempt: Attempt, contract: Contract
) -> tuple[NativeSide | None, NativeSide | None]:
    """Source and target of an attempt as native models; None where one is ONNX itself, or is not fed as it is."""
    ours = source_side(source) if source.file.format != "onnx" else None
    result = attempt.result
    if not isinstance(result, Compared) or result.verification.contract != contract:
        return ours, None
    if detect(result.candidate.path).format == "onnx":
        return ours, None
    return ours, _target_side(run, source, result)


def _target_side(run: Run, source: Source, compared: Compared) -> NativeSide:
    """A target that was compared, opened again. Raises SafeconvertError where it does not open."""
    request = request_like(compared.candidate.path, source.session.signature, source.request.trust_pickle)
    session = open_model(run, "target", detect(compared.candidate.path).format, request)
    feeds = feed_across(compared.verification.contract, source.data.chunks, run.folder("feed"))
    return target_side(session, request, chunks_for(source.data, feeds), source, compared.verification)


def _faithful(run: Run, check: ExporterCheck, seen: Sequence[Verification | None]) -> bool:
    """Whether an ONNX form is its model as far as anybody looks at it: there is nothing to explain, or only rounding."""
    if check.verdict is not ExporterVerdict.DIFFERENT:
        return True
    compared = [one for one in seen if one is not None]
    if any(accept_export_rounding(run, check, one).verdict is ExporterVerdict.EQUAL for one in compared):
        return True
    wrong = [one for one in compared if not one.native.equal]
    return bool(wrong) and all(export_is_faithful(check, one.native.relative) for one in wrong)
