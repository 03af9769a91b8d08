"""Proofs: a certificate's verified again, and the prover run alone on a source and a target."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from safeconvert.certificate.archive import NoEvidence, read
from safeconvert.certificate.check import CheckReport, Item, Status, read_certificate
from safeconvert.certificate.untrusted_json import mapping, text
from safeconvert.config.options import VerifyOptions
from safeconvert.config.settings import Settings
from safeconvert.core.progress import Phases
from safeconvert.core.proof import PROOF, ProofLevel, ProofRecord
from safeconvert.errors import ExitCode, NotEquivalent, UnusableInput
from safeconvert.pipeline.verify_pair import verify_pair
from safeconvert.verification.disproof import disprove
from safeconvert.verification.proof import prove_pair
from safeconvert.verification.proof_check import check_again
from safeconvert.verification.snapshot import confirm_all
from safeconvert.workers.run import open_run


@dataclass(frozen=True)
class Proving:
    """What `prove` came to: its exit code, why, and the proof."""

    exit_code: ExitCode
    reason: str
    record: ProofRecord


def with_proof(report: CheckReport, certificate: Path, public_key: Path | None, settings: Settings) -> CheckReport:
    """The report of a check, and on its proof where all else is as certified.

    Raises:
        NoVerdict: an ONNX form cannot be made again.
    """
    if not report.ok:
        return report
    paths = {item.name: item.path for item in report.items if item.name in ("source", "target")}
    return CheckReport((*report.items, _proof(certificate, public_key, paths, settings)))


def _proof(certificate: Path, public_key: Path | None, paths: dict[str, Path], settings: Settings) -> Item:
    predicate = read_certificate(certificate, public_key)
    claimed = mapping(predicate.get("proof"))
    if claimed.get("level") not in (ProofLevel.ONNX, ProofLevel.NATIVE):
        return Item("proof", certificate, Status.NOT_PROVEN, text(claimed.get("reason")))
    if len(paths) < 2:
        raise UnusableInput(f"{certificate}: a proof needs the source too", "leave --target-only out")
    try:
        proof = json.loads(read(certificate, predicate.get("evidence")).files[PROOF])
    except (NoEvidence, KeyError, ValueError, RecursionError) as error:
        return Item("proof", certificate, Status.REFUSED, f"it cannot be read: {error}")
    if not isinstance(proof, dict):
        return Item("proof", certificate, Status.REFUSED, "it is no object")
    try:
        with open_run(settings, Phases()) as run:
            found = check_again(run, paths, predicate, proof)
    except NotEquivalent as error:
        return Item("proof", certificate, Status.REFUSED, error.message)
    other = (
        f"; made again, the form of the {' and the '.join(found.other_forms)} has other bytes"
        if found.other_forms
        else ""
    )
    steps = len(proof["steps"])
    return Item(
        "proof", certificate, Status.PROVEN, f"{steps} steps from {found.forms}, by {len(found.axioms)} axioms{other}"
    )


def run_prove(options: VerifyOptions, settings: Settings, phases: Phases) -> Proving:
    """Prove a target equal to its source, between their ONNX forms, after both were compared natively.

    Raises:
        UnusableInput, NotEquivalent, NoVerdict: as `verify`.
    """
    with open_run(settings, phases) as run:
        pair = verify_pair(run, options)
        target = (pair.target.path, pair.target.format)
        proved = prove_pair(run, pair.source, pair.verification, pair.exporter, target, pair.settings)
        record = proved.record
        verified = pair.exit_code is ExitCode.VERIFIED
        found = None
        if verified and proved.verification is not None:
            found = disprove(run, pair.pair, proved.verification, proved.source, record, pair.settings)
        confirm_all(pair.source, pair.target)
    if found is not None:
        figures = found.figures
        told = "; ".join(f"input {name} {numbers}" for name, numbers in found.inputs.items())
        reason = f"disproved: on {told}, labels or values differ by up to {figures.max_abs:.3g}, relative {figures.relative:.3g}"
        return Proving(ExitCode.NOT_EQUIVALENT, reason, record)
    if pair.exit_code is not ExitCode.VERIFIED:
        return Proving(pair.exit_code, pair.reason, record)
    if record.level is not ProofLevel.SAMPLED:
        return Proving(ExitCode.VERIFIED, "", record)
    return Proving(ExitCode.NO_VERDICT, record.reason, record)
