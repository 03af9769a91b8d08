"""The verification of an existing conversion: nothing is converted or repaired."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from safeconvert.compare.custom import require_comparator
from safeconvert.config.options import VerifyOptions
from safeconvert.core.formats import detect
from safeconvert.errors import AdapterFailure, ExitCode, NoVerdict
from safeconvert.pipeline.export_stage import explain_verification
from safeconvert.pipeline.quantize_checks import require_evidence, require_metric
from safeconvert.pipeline.results import Compared, PairVerification
from safeconvert.pipeline.steps import existing_pair, open_existing, shapes_of_target, warm
from safeconvert.registry.manifest import framework
from safeconvert.verification.part import take_part
from safeconvert.verification.rounding import accept_export_rounding
from safeconvert.verification.snapshot import admit, snapshot
from safeconvert.verification.source import SourceOptions, evaluate_source
from safeconvert.verification.target import verify_target
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
    admit(run, options.model)
    file, target_file = (snapshot(run, detect(path)) for path in (options.source, options.target))
    file = take_part(run, file, options.model)
    warm(run, "target", framework(target_file.format, run.adapters))
    shapes = shapes_of_target(run, file, target_file, options)
    source = evaluate_source(run, file, SourceOptions(options.model, options.data, options.verify, candidates=shapes))
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
    exporter = accept_export_rounding(run, source.exporter.result(), verification)
    exit_code = ExitCode.VERIFIED if verification.native.equal else ExitCode.NOT_EQUIVALENT
    pair = replace(pair, source=source)
    return PairVerification(options, source, target_file, verification, exporter, exit_code, pair)
