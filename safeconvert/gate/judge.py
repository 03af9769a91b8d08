"""Compare each model found with its certificates, and those with the policy."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from safeconvert.certificate.check import CheckReport, Item, Status, check
from safeconvert.certificate.envelope import read_payload
from safeconvert.certificate.keys import load_public_key
from safeconvert.certificate.signature import Signed, verify_signature
from safeconvert.certificate.statement import SCHEMA, parse_statement
from safeconvert.certificate.untrusted_json import mapping, sequence, text
from safeconvert.config.gate_settings import GateSettings
from safeconvert.core import paths
from safeconvert.errors import SafeconvertError, UnusableInput
from safeconvert.gate.acknowledged import Accepted, unused
from safeconvert.gate.find import Found
from safeconvert.gate.policy import signature_problem, violations
from safeconvert.gate.recompute import contradictions

_KINDS = {
    Status.DAMAGED: "damaged",
    Status.NOT_SIGNED: "unsigned",
    Status.WRONG_SIGNATURE: "signature",
    Status.BAD_SIGNATURE: "signature",
    Status.UNVERIFIABLE: "signature",
    Status.NOT_VERIFIED: "verdict",
    Status.INCONSISTENT: "damaged",
    Status.OUTSIDE: "damaged",
    Status.UNREADABLE: "unreadable",
    Status.MISSING: "absent",
}


@dataclass(frozen=True)
class Problem:
    """Why a model must not pass.

    Attributes:
        kind: `missing` certificate; `damaged`, `schema`, `unsigned`, `signature`, `verdict` (not verified) of it;
            `figures` (they contradict its verdict); `policy` (it is true, and not enough);
            `changed`, `absent` or `unreadable` target; `stale` (the source is another by now); `other` (a certificate of
            another file); `evidence` (not the one named); `obligation` (nobody says that it is met).
        detail: one line.
    """

    kind: str
    detail: str


@dataclass(frozen=True)
class Judged:
    """One model.

    Attributes:
        model: its path; of a certificate whose model is not there, where it ought to be.
        certificate: the one it was compared with; None where there is none.
        problems: empty where it may pass.
        notes: what is worth knowing, and stops nothing.
        obligations: each with whether somebody says that it is met.
        source_of: the model that was made from this one, where this is a source that is not certified itself.
        signed: by whom its certificate is signed; None where it has none.
    """

    model: Path
    certificate: Path | None
    problems: tuple[Problem, ...] = ()
    notes: tuple[str, ...] = ()
    obligations: tuple[tuple[str, bool], ...] = ()
    source_of: Path | None = None
    signed: Signed | None = None

    @property
    def ok(self) -> bool:
        """Whether it may pass."""
        return not self.problems


@dataclass(frozen=True)
class Gate:
    """All models, and entries of the file of accepted obligations that speak of none."""

    models: tuple[Judged, ...]
    unused: tuple[Accepted, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether every model may pass."""
        return all(judged.ok for judged in self.models)


def judge(found: Found, policy: GateSettings, accepted: Sequence[Accepted] = (), now: datetime | None = None) -> Gate:
    """Compare models with certificates: one row for each pair, each model without and each certificate without one.

    A certificate belongs to the model that it names as its target, or beside which it stands. A model without, that a
    sound certificate names as its source, unchanged, passes as a source.

    Args:
        found: models and certificates.
        policy: what a certificate has to offer.
        accepted: obligations known to be met.
        now: when certificates' ages are counted; None is the time of the call.

    Raises:
        UnusableInput: a key cannot be used, or there is nothing to judge.
    """
    for signer in policy.signers:
        load_public_key(signer.key)
    given = _Judging(policy, tuple(accepted), now or datetime.now(UTC))
    beside = (paths.certificate_path(model) for model in (*found.models, *(path for path, _ in found.unreadable)))
    certificates = dict.fromkeys([*found.certificates, *(path for path in beside if path.is_file())])
    if not found.models and not found.unreadable and not certificates:
        raise UnusableInput("no model and no certificate lies there", "name the folder that is deployed")
    unreadable = dict(found.unreadable)
    names = {_real(path): path for path in (*found.models, *unreadable)}
    judged: list[Judged] = []
    sources: dict[str, Path] = {}
    for certificate in certificates:
        row, source = _certified(certificate, names, given)
        if row.model in unreadable:
            row = replace(row, problems=(*row.problems, Problem("unreadable", unreadable[row.model])))
        judged.append(row)
        if source is not None:
            sources[source] = row.model
    covered = {_real(row.model) for row in judged}
    for real, path in names.items():
        if real in covered:
            continue
        if path in unreadable:
            judged.append(Judged(path, None, (Problem("unreadable", unreadable[path]),)))
        elif real in sources:
            judged.append(Judged(path, None, source_of=sources[real]))
        else:
            judged.append(Judged(path, None, (Problem("missing", "no certificate"),)))
    obligations = [(row.model, obligation) for row in judged for obligation, _ in row.obligations]
    return Gate(tuple(sorted(judged, key=lambda row: str(row.model))), tuple(unused(accepted, obligations)))


@dataclass(frozen=True)
class _Judging:
    policy: GateSettings
    accepted: tuple[Accepted, ...]
    now: datetime


def _certified(certificate: Path, names: dict[str, Path], given: _Judging) -> tuple[Judged, str | None]:
    """A certificate and its model; the real path of its source where that is unchanged and the certificate is sound."""
    stem = certificate.with_name(certificate.name.removesuffix(".certificate.json"))
    model = names.get(_real(stem), stem)
    try:
        report = check(certificate)
        readable = _readable(report)
        predicate = parse_statement(read_payload(certificate, None), str(certificate)) if readable else {}
        signature = verify_signature(certificate, [signer.key for signer in given.policy.signers]) if readable else None
    except SafeconvertError as error:  # no certificate of ours, or of a newer schema
        kind = "schema" if "newer" in error.message else "damaged"
        line = error.message.removeprefix(f"{certificate}: ")
        return Judged(model, certificate, (Problem(kind, f"{line}; {error.advice}" if error.advice else line),)), None
    problems = [problem for item in report.items if (problem := _problem(item)) is not None]
    named = _path(certificate, predicate.get("target"))
    if named is not None and _real(named) in names:
        model = names[_real(named)]
    elif named is not None and model in names.values():
        problems.append(Problem("other", f"the certificate is of {named.name}"))
    if signature is not None:
        why = signature_problem(signature, predicate, given.policy)
        problems += [Problem("unsigned" if signature.state is Signed.UNSIGNED else "signature", why)] if why else []
    problems += _insufficient(predicate, given) if predicate else []
    obligations = []
    for item in sequence(predicate.get("obligations")):
        obligation = text(item)
        obligations.append((obligation, any(entry.covers(model, obligation) for entry in given.accepted)))
    problems += [Problem("obligation", f"not accepted: {obligation}") for obligation, met in obligations if not met]
    notes = [
        f"{item.name} {item.path.name}: not here" for item in report.items if _optional(item) and not _present(item)
    ]
    state = signature.state if signature is not None else None
    row = Judged(model, certificate, tuple(dict.fromkeys(problems)), tuple(notes), tuple(obligations), signed=state)
    source = _path(certificate, predicate.get("source"))
    sound = all(item.ok for item in report.items if item.name in ("certificate", "source"))
    whole = sound and not {problem.kind for problem in problems} & _UNSOUND
    return row, _real(source) if source is not None and whole else None


_UNSOUND = {"unsigned", "signature", "schema", "figures", "policy"}
"""Problems for which a certificate does not vouch for its source either."""


def _insufficient(predicate: Mapping[str, Any], given: _Judging) -> list[Problem]:
    """What in a certificate's content is not true or not enough, of one that says that its model is verified."""
    found = []
    if int(predicate["schema"]) < SCHEMA:
        line = f"made by an older safeconvert (schema {predicate['schema']}); verify the model again"
        found.append(Problem("schema", line))
    if predicate.get("verdict") == "verified":
        found += [Problem("figures", line) for line in contradictions(predicate)]
        found += [Problem("policy", line) for line in violations(predicate, given.policy, given.now)]
    return found


def _problem(item: Item) -> Problem | None:
    """What is wrong with an item of a check; None where nothing is, or where it is the source that is not here."""
    if item.ok or item.name == "signature" or (_optional(item) and not _present(item)):
        return None
    if item.status is Status.CHANGED:
        if item.name.startswith("source"):
            return Problem("stale", f"{item.name} {item.path.name} is another since the model was certified")
        kind = "evidence" if item.name == "evidence" else "changed"
        return Problem(kind, f"{item.name} {item.path.name}: digest differs from the certificate's")
    what = f"{item.name} {item.path.name}: " if item.name != "certificate" else ""
    return Problem(_KINDS[item.status], f"{what}{item.status.value}")


def _optional(item: Item) -> bool:
    """A deployment needs neither the source nor the evidence."""
    return item.name.startswith("source") or item.name == "evidence"


def _present(item: Item) -> bool:
    return item.status not in (Status.MISSING, Status.NOT_NEEDED)


def _readable(report: CheckReport) -> bool:
    return not {item.status for item in report.items} & {Status.DAMAGED, Status.NOT_SIGNED, Status.WRONG_SIGNATURE}


def _path(certificate: Path, entry: Any) -> Path | None:
    relative = mapping(entry).get("path")
    return certificate.absolute().parent / relative if isinstance(relative, str) and "\0" not in relative else None


def _real(path: Path) -> str:
    return os.path.realpath(path)
