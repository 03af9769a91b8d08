"""What each command does, behind the CLI: settings, run, pipeline, certificate. Returns data; prints nothing."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from safeconvert.certificate import archive
from safeconvert.certificate.archive import Evidence
from safeconvert.certificate.digest import digest
from safeconvert.certificate.envelope import write_certificate
from safeconvert.certificate.keys import public_part
from safeconvert.certificate.places import require_place
from safeconvert.certificate.statement import build_statement
from safeconvert.certify import evidence as evidence
from safeconvert.certify import predicate
from safeconvert.config.options import ConvertOptions, VerifyOptions
from safeconvert.config.origin import loosened
from safeconvert.config.settings import Settings
from safeconvert.core import paths
from safeconvert.core.files import clone
from safeconvert.core.progress import Phases
from safeconvert.core.runtimes import Runtime
from safeconvert.errors import ExitCode, UnusableInput
from safeconvert.pipeline.convert import convert, destination
from safeconvert.pipeline.lock import locked
from safeconvert.pipeline.provenance import record_provenance
from safeconvert.pipeline.publication import publish, withdraw
from safeconvert.pipeline.repair_pair import repair_pair, repaired_destination
from safeconvert.pipeline.results import Attempt
from safeconvert.pipeline.route_selection import ALL
from safeconvert.pipeline.verify_pair import verify_pair
from safeconvert.report.outcome import Outcome, Tried
from safeconvert.verification.snapshot import confirm_all
from safeconvert.workers.run import open_run


def run_convert(options: ConvertOptions, settings: Settings, phases: Phases) -> Outcome:
    """Convert, verify, certify. Raises SafeconvertError for what ends without a conversion to speak of."""
    with locked(destination(options)), open_run(settings, phases) as run:
        conversion = convert(run, options)
        verified = conversion.exit_code is ExitCode.VERIFIED
        output = conversion.target if verified else conversion.rejected
        certificate = None
        content: dict[str, Any] = {}
        kept: tuple[Path, ...] = ()
        found = evidence.of_conversion(conversion)
        candidate = conversion.decisive.candidate
        if output is not None and candidate is not None:
            provenance = record_provenance(run, conversion, candidate.path, output)
            found = evidence.with_proof(found, provenance.proof)
            content = predicate.of_conversion(conversion, provenance, output.parent) | _settings(options, settings)
            content["written"] = True
            confirm_all(conversion.source)
            beside = paths.certificate_path(output)
            published = publish(
                candidate.path, candidate.sha256, output, lambda: _certify(content, found, output, beside, options.key)
            )
            certificate, kept = published.certificate, published.kept
        if output != paths.rejected_path(conversion.target):
            withdraw(paths.rejected_path(conversion.target))
        return Outcome(
            exit_code=conversion.exit_code,
            reason=conversion.reason,
            target=conversion.target,
            rejected=conversion.rejected,
            certificate=certificate,
            predicate=content,
            attempts=tuple(map(_tried, conversion.attempts)),
            log=run.logs if run.pool.failed else None,
            evidence=found,
            obstacles=conversion.obstacles,
            offers=conversion.offers,
            compared=options.routes == ALL,
            settings_file=options.origin.file,
            kept=kept,
        )


def run_repair(options: ConvertOptions, given: Path, settings: Settings, phases: Phases) -> Outcome:
    """Localize the faults of a given target, and repair them where the options say so; certify what was repaired.

    Where the options name a certificate, it is written whatever the verdict.
    """
    if options.certificate is not None:
        require_place("--certificate", options.certificate.absolute())
    with ExitStack() as stack:
        if options.repair:
            stack.enter_context(locked(repaired_destination(options, given)))
        run = stack.enter_context(open_run(settings, phases))
        conversion, file = repair_pair(run, options, given)
        candidate = conversion.decisive.candidate
        repaired = options.repair and conversion.exit_code is ExitCode.VERIFIED and candidate is not None
        subject = conversion.target if repaired else given.absolute()
        made = candidate.path if repaired and candidate is not None else file.path
        destination = options.certificate.absolute() if options.certificate else paths.certificate_path(subject)
        provenance = record_provenance(run, conversion, made, subject)
        content = predicate.of_conversion(conversion, provenance, destination.parent) | _settings(options, settings)
        found = evidence.with_proof(evidence.of_conversion(conversion), provenance.proof)
        confirm_all(conversion.source, file)
        certificate = None
        kept: tuple[Path, ...] = ()
        if repaired and candidate is not None:
            content["written"] = True
            published = publish(
                made, candidate.sha256, subject, lambda: _certify(content, found, subject, destination, options.key)
            )
            certificate, kept = published.certificate, published.kept
        elif options.certificate is not None:
            certificate = _certify(content, found, subject, destination, options.key)
        return Outcome(
            exit_code=conversion.exit_code,
            reason=conversion.reason,
            target=conversion.target,
            rejected=None,
            certificate=certificate,
            predicate=content,
            attempts=tuple(map(_tried, conversion.attempts)),
            log=run.logs if run.pool.failed else None,
            evidence=found,
            settings_file=options.origin.file,
            kept=kept,
        )


def run_verify(options: VerifyOptions, settings: Settings, phases: Phases) -> Outcome:
    """Compare an existing conversion with its source; the certificate is written where one is requested."""
    if options.certificate is not None:
        require_place("--certificate", options.certificate.absolute())
    with open_run(settings, phases) as run:
        pair = verify_pair(run, options)
        destination = options.certificate or pair.target.named
        provenance = record_provenance(run, pair, pair.target.path, pair.target.named)
        content = predicate.of_pair(pair, provenance, destination.absolute().parent) | _settings(options, settings)
        found = evidence.with_proof(evidence.of_pair(pair), provenance.proof)
        confirm_all(pair.source, pair.target)
        certificate = None
        if options.certificate is not None:
            path = options.certificate.absolute()
            if "shard" in content and pair.verification.passed is not None:
                content["shard"]["records"] = _keep_records(pair.verification.passed.records, paths.records_path(path))
            certificate = _certify(content, found, pair.target.named, path, options.key)
    return Outcome(
        exit_code=pair.exit_code,
        reason=pair.reason,
        target=pair.target.named,
        rejected=None,
        certificate=certificate,
        predicate=content,
        attempts=(),
        log=None,
        evidence=found,
        settings_file=options.origin.file,
    )


def _keep_records(records: Path, path: Path) -> dict[str, str]:
    """Bring a shard's records beside its certificate; the file's entry. Raises UnusableInput."""
    try:
        clone(records, path)
    except OSError as error:
        raise UnusableInput(f"{path}: cannot be written: {error.strerror}", "free some space") from error
    return {"path": path.name, "sha256": digest(path).sha256, "kind": "file"}


def certify_again(outcome: Outcome, key: Path | None) -> None:
    """Write the certificate of a verified folder anew, after files of the caller's were put into it.

    Only the digest of the target changes: what was verified is the model in the folder, which is as it was.
    """
    assert outcome.certificate is not None
    content = {**outcome.predicate, "target": {**outcome.predicate["target"], "sha256": digest(outcome.target).sha256}}
    _certify(content, outcome.evidence, outcome.target, outcome.certificate, key)


def _tried(attempt: Attempt) -> Tried:
    figures = attempt.verification.native.to_json() if attempt.verification is not None else {}
    return Tried(str(attempt.route), attempt.outcome, attempt.reason, figures.get("max_abs"), attempt.seconds)


def _settings(options: ConvertOptions | VerifyOptions, settings: Settings) -> dict[str, Any]:
    """The settings file, by name and digest, and each tolerance that is looser than its default."""
    origin = options.origin
    file = {"file": origin.file.name, "sha256": origin.sha256, "named": origin.named} if origin.file else {"file": None}
    runtime = {} if settings.tflite.runtime == Runtime.LITERT else {"tflite_runtime": settings.tflite.runtime}
    return {"settings": {**file, **runtime, "loosened": list(loosened(options.verify, settings))}}


def _certify(content: dict[str, Any], found: Evidence | None, subject: Path, path: Path, key: Path | None) -> Path:
    """Write the evidence, where there is any, and the certificate that names it."""
    destination = paths.evidence_path(path)
    content["made"] = datetime.now(UTC).isoformat(timespec="seconds")
    if key is not None:
        content["signer"] = public_part(key)
    if found is not None:
        content["evidence"] = {"path": destination.name, "sha256": archive.write(found, destination), "kind": "file"}
    try:
        statement = build_statement(subject.name, content["target"]["sha256"], content)
    except UnicodeError as error:
        raise UnusableInput(
            f"{subject}: a file name that is not Unicode cannot stand in a certificate",
            "rename the source or the target",
        ) from error
    write_certificate(path, statement, key)
    return path
