"""The verification of an existing conversion: nothing is converted or repaired."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from safeconvert.compare.custom import require_comparator
from safeconvert.config.options import VerifyOptions
from safeconvert.core.formats import detect
from safeconvert.errors import AdapterFailure, ExitCode, NoVerdict, UnusableInput
from safeconvert.pipeline.export_stage import explain_verification
from safeconvert.pipeline.quantize_checks import require_evidence, require_metric
from safeconvert.pipeline.results import Compared, PairVerification
from safeconvert.pipeline.steps import existing_pair, open_existing, shapes_of_target, warm
from safeconvert.registry.manifest import framework
from safeconvert.verification.pair import Pair
from safeconvert.verification.part import take_part
from safeconvert.verification.passing import compare_rest, with_digest
from safeconvert.verification.rounding import accept_export_rounding
from safeconvert.verification.snapshot import admit, snapshot
from safeconvert.verification.source import Source, SourceOptions, evaluate_source
from safeconvert.verification.target import verify_target
from safeconvert.verification.types import Verification
from safeconvert.verification.verdict import verdict_line
from safeconvert.workers.run import Run


def verify_pair(run: Run, options: VerifyOptions) -> PairVerification:
    """Compare a target with the source that it was converted from.

    Raises:
        UnusableInput: a model, the inputs or an option cannot be used.
        NotEquivalent: inputs or outputs that cannot correspond.
        NoVerdict: a model does not run on the inputs, or the source is not a function.
    """
    require_comparator(options.verify.comparator, str(Path.cwd()))
    require_metric(options.verify, options.data)
    passing = _passing(options)
    admit(run, options.model)
    file, target_file = (snapshot(run, detect(path)) for path in (options.source, options.target))
    file = take_part(run, file, options.model)
    warm(run, "target", framework(target_file.format, run.adapters))
    shapes = shapes_of_target(run, file, target_file, options)
    source_options = SourceOptions(options.model, options.data, options.verify, candidates=shapes, passing=passing)
    source = evaluate_source(run, file, source_options)
    if options.verify.drop is not None:
        require_evidence(run, source, options.verify, options.data)
    target = open_existing(run, target_file, source, options)
    pair = existing_pair(source, target, options)
    try:
        verification = verify_target(run, pair, options.verify)
    except AdapterFailure as failure:
        raise NoVerdict(
            f"{target_file.named}: does not run on the source's inputs: {failure.cause}", "", failure.log
        ) from failure
    source = source.current
    source, verification = explain_verification(run, source, Compared(target.candidate, verification), options.verify)
    source, verification = _with_rest(run, replace(pair, source=source), verification, options)
    exporter = accept_export_rounding(run, source.exporter.result(), verification)
    exit_code = ExitCode.VERIFIED if verification.native.equal else ExitCode.NOT_EQUIVALENT
    pair = replace(pair, source=source)
    return PairVerification(options, source, target_file, verification, exporter, exit_code, pair)


def _passing(options: VerifyOptions) -> bool:
    """Whether inputs behind the first ones are compared in passing: not where a metric decides, which needs all of them.

    Raises:
        UnusableInput: a shard of such, or one without a certificate, which could not be merged.
    """
    decided = options.verify.drop is not None or options.verify.given_only
    if options.data.shard is not None and decided:
        raise UnusableInput(
            "--shard: does not go with --metric and --max-drop, which need all inputs at once", "leave it out"
        )
    if options.data.shard is not None and options.certificate is None:
        raise UnusableInput("--shard: only certificates can be merged", "name one with --certificate")
    return not decided


def _with_rest(run: Run, pair: Pair, verification: Verification, options: VerifyOptions) -> tuple[Source, Verification]:
    """The source and the verification with the inputs behind the first ones, where there are any and the first ones were equal."""
    source, rest = pair.source, pair.source.data.rest
    if rest is None:
        return source, verification
    if verification.native.equal:
        verification = compare_rest(run, pair, verification, rest, options.verify)
        source = with_digest(source, rest, verification.passed)
        of = f"shard {rest.part[0]} of {rest.part[1]}: " if rest.part is not None else ""
        return source, replace(verification, reason=of + verdict_line(verification, source))
    return with_digest(source, rest, None), verification
