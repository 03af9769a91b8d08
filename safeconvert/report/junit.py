"""JUnit XML, as continuous integration reads it: a suite for each conversion, a case for each thing that was looked at.

What decides the exit code is a case that passes or fails. What does not (an exporter's fault, a fault that was repaired, a
route that was given up for another) never fails a case: it is skipped with its reason, or passes with a note. Structure:
Jenkins' `junit-10.xsd`.
"""

from __future__ import annotations

import math
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safeconvert.certificate.export_faults import export_fault_lines
from safeconvert.certificate.faults import FaultState, read_faults
from safeconvert.certificate.untrusted_json import mapping, mappings, number, sequence, text
from safeconvert.core.proof import READER
from safeconvert.core.text import printable
from safeconvert.errors import ExitCode, SafeconvertError, UnusableInput

if TYPE_CHECKING:
    from safeconvert.gate.judge import Gate, Judged
    from safeconvert.report.batch_index import JobReport
    from safeconvert.report.outcome import Outcome

PASSED, FAILURE, ERROR, SKIPPED = "passed", "failure", "error", "skipped"
_NATIVE = "source native vs target native"
_STAYS = ("repaired", "kept")


@dataclass(frozen=True)
class Case:
    """One thing looked at.

    Attributes:
        name: of the thing.
        state: `passed`, `failure`, `error` or `skipped`.
        message: one line: why it is not passed.
        note: lines to read besides.
    """

    name: str
    state: str = PASSED
    message: str = ""
    note: str = ""


@dataclass(frozen=True)
class Suite:
    """One conversion, or one model at a gate."""

    name: str
    cases: Sequence[Case]
    properties: Sequence[tuple[str, str]] = ()
    seconds: float = 0.0
    when: datetime = field(default_factory=lambda: datetime.now(UTC))


MARK = b'<testsuites name="safeconvert"'
"""At the beginning of each such file."""


def of_outcome(outcome: Outcome) -> Suite:
    """The suite of a command that came to an end; where no certificate was made, of its routes alone."""
    if outcome.predicate:
        return of_certificate(outcome.predicate, outcome.target.name, outcome.exit_code, outcome.reason)
    state = FAILURE if outcome.exit_code is ExitCode.NOT_EQUIVALENT else ERROR
    routes = [Case(f"route {tried.route}", ERROR, tried.reason) for tried in outcome.attempts]
    return Suite(outcome.target.name, [Case("verdict", state, outcome.reason), *routes])


def of_error(error: SafeconvertError, name: str) -> Suite:
    """The suite of a command that ended in an error."""
    state = FAILURE if error.exit_code is ExitCode.NOT_EQUIVALENT else ERROR
    case = "source is a function" if "not a function" in error.message else "verdict"
    return Suite(name, [Case(case, state, error.message, f"try: {error.advice}" if error.advice else "")])


def of_certificate(
    predicate: Mapping[str, Any], name: str, code: ExitCode | None = None, reason: str | None = None
) -> Suite:
    """The suite of a certificate's content.

    Args:
        predicate: the content.
        name: of the target.
        code, reason: of the command, where they are other than the certificate says.
    """
    verified = predicate.get("verdict") == "verified" if code is None else code is ExitCode.VERIFIED
    no_verdict = predicate.get("verdict") == "no_verdict" if code is None else code is ExitCode.NO_VERDICT
    state = PASSED if verified else ERROR if no_verdict else FAILURE
    why = text(predicate.get("reason") if reason is None else reason)
    cases = [Case("source is a function", note="equal outputs on equal inputs"), *_outputs(predicate)]
    cases += _exporters(predicate)
    cases += [_fault(fault) for fault in read_faults(predicate)]
    cases += _routes(predicate, verified)
    cases.append(Case("verdict", state, "" if verified else why, why if verified else ""))
    seconds = sum(max(number(value) or 0.0, 0.0) for value in mapping(predicate.get("seconds")).values())
    return Suite(name, _distinct(cases), _properties(predicate), seconds if math.isfinite(seconds) else 0.0)


def of_gate(gate: Gate) -> list[Suite]:
    """A suite for each model."""
    return [_judged(judged) for judged in gate.models]


def of_batch(jobs: Iterable[JobReport]) -> list[Suite]:
    """A suite for each job; of a job without a certificate's content the verdict alone."""
    return [_job(job) for job in jobs]


def render(suites: Sequence[Suite]) -> bytes:
    """The file's bytes."""
    root = ET.Element("testsuites", _counts([case for suite in suites for case in suite.cases], "safeconvert"))
    for suite in suites:
        attributes = _counts(suite.cases, suite.name) | {
            "time": f"{suite.seconds:.3f}",
            "timestamp": suite.when.strftime("%Y-%m-%dT%H:%M:%S"),
        }
        element = ET.SubElement(root, "testsuite", attributes)
        if suite.properties:
            properties = ET.SubElement(element, "properties")
            for name, value in suite.properties:
                ET.SubElement(properties, "property", {"name": _clean(name), "value": _clean(value)})
        for case in suite.cases:
            own = {"name": _clean(case.name), "classname": _clean(f"safeconvert.{suite.name}"), "time": "0.000"}
            made = ET.SubElement(element, "testcase", own)
            if case.state != PASSED:
                kind = {} if case.state == SKIPPED else {"type": "safeconvert"}
                ET.SubElement(made, case.state, {"message": _clean(case.message), **kind})
            if case.note:
                ET.SubElement(made, "system-out").text = "\n".join(map(printable, case.note.splitlines()))
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def write(path: Path, suites: Sequence[Suite]) -> None:
    """Write the file. Raises UnusableInput where it cannot be."""
    try:
        path.write_bytes(render(suites))
    except OSError as error:
        raise UnusableInput(f"{path}: cannot be written: {error.strerror}", "name another with --junit") from error


def _outputs(predicate: Mapping[str, Any]) -> list[Case]:
    """Whether the target runs, and each output's comparison; all outputs together give the share that may differ."""
    figures = mapping(mapping(predicate.get("verification")).get(_NATIVE))
    if not figures:
        return [Case("target runs natively", ERROR, "no target could be held against the source")]
    equal = figures.get("equal") is True
    samples = text(figures.get("samples"))
    cases = [Case("target runs natively", note=f"on {samples} inputs")]
    allowed = number(mapping(predicate.get("comparator")).get("max_discrepancy")) or 0.0
    for output in mappings(figures.get("outputs")):
        count = number(output.get("disagreements")) or 0.0
        line = (
            f"differs on {count:.0f} of {samples} inputs, max-abs {text(output.get('max_abs'))}, "
            f"relative {text(output.get('relative'))}"
        )
        wrong = count > 0 and not equal
        note = line + (f"; a share of {allowed:g} may" if count and equal else "")
        name = f"output {text(output.get('name'))}: {text(output.get('comparator'))}"
        cases.append(Case(name, FAILURE, line) if wrong else Case(name, note=note))
    beyond = number(figures.get("beyond_tolerance")) or 0.0
    line = f"beyond tolerance on {beyond:.0f} of {samples} inputs, relative {text(figures.get('relative'))}"
    cases.append(Case("values within tolerance", FAILURE, line) if beyond and not equal
                 else Case("values within tolerance", note=line))  # fmt: skip
    return cases


def _exporters(predicate: Mapping[str, Any]) -> list[Case]:
    """Whether each side's ONNX form is equal to it; the verdict does not rest on that."""
    cases = []
    for side, check in mapping(predicate.get("exporters")).items():
        name, verdict = f"exporter agreement: {text(side)}", mapping(check).get("verdict")
        reason = "; ".join([text(mapping(check).get("reason")), *export_fault_lines(mapping(check))])
        if verdict == "equal":
            maker = text(mapping(check).get("adapter"))
            cases.append(Case(name, note="read from the file" if maker == READER else f"exported by {maker}"))
        else:
            cases.append(Case(name, SKIPPED, reason if verdict == "none" else f"exporter fault: {reason}"))
    return cases


def _fault(fault: FaultState) -> Case:
    name = f"fault {fault.position + 1} {fault.kind}: {fault.layers} ({fault.operator})"
    note = f"{fault.evidence}\nisolated error {text(fault.isolated)}, propagated {text(fault.propagated)}"
    if fault.state in _STAYS:
        return Case(name, note=f"{fault.state}\n{note}")
    if fault.state == "deployment":
        return Case(name, SKIPPED, "lies in what the target is fed; see the obligations", note)
    if not fault.proven:
        return Case(name, SKIPPED, f"a suspicion, {fault.state}: {fault.evidence}", note)
    return Case(name, FAILURE, f"{fault.state}: {fault.evidence}", note)


def _routes(predicate: Mapping[str, Any], verified: bool) -> list[Case]:
    """The routes that did not give the target. Those that failed are errors only where none led to a verdict."""
    cases = []
    for attempt in mappings(predicate.get("attempts")):
        outcome, route = attempt.get("outcome"), " → ".join(map(str, sequence(attempt.get("route")))) or "as given"
        if outcome == "verified":
            cases.append(Case(f"route {route}", note=str(attempt.get("lift") or "")))
        else:
            cases.append(Case(f"route {route}", SKIPPED, f"{text(outcome)}: {text(attempt.get('reason'))}"))
    return cases if verified or len(cases) > 1 else []


def _properties(predicate: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = [("verdict", text(predicate.get("verdict"))), ("structure", text(predicate.get("structure")))]
    for side in ("source", "target"):
        entry = mapping(predicate.get(side))
        found += [(f"{side}.path", text(entry.get("path"))), (f"{side}.sha256", text(entry.get("sha256")))]
    found.append(("route", " → ".join(text(step.get("adapter")) for step in mappings(predicate.get("route"))) or "-"))
    found.append(("safeconvert", text(mapping(predicate.get("tool")).get("version"))))
    obligations = sequence(predicate.get("obligations"))
    return found + [(f"obligation.{index}", text(item)) for index, item in enumerate(obligations, start=1)]


def _job(job: JobReport) -> Suite:
    if job.predicate:
        return replace(of_certificate(job.predicate, job.name, job.code, job.reason), seconds=job.seconds)
    state = FAILURE if job.code is ExitCode.NOT_EQUIVALENT else ERROR
    case = Case("verdict") if job.code is ExitCode.VERIFIED else Case("verdict", state, job.reason or job.verdict)
    return Suite(job.name, [case], seconds=job.seconds)


def _judged(judged: Judged) -> Suite:
    """A failed case for each problem, or a passed one; obligations that are met as well."""
    if judged.source_of is not None:
        cases = [Case("certificate", note=f"the source of {judged.source_of}, which is certified")]
    else:
        cases = [Case(problem.kind, FAILURE, problem.detail) for problem in judged.problems]
        cases = cases or [Case("certificate", note="\n".join([str(judged.certificate), *judged.notes]))]
    cases += [Case(f"obligation {wording}") for wording, met in judged.obligations if met]
    properties = [(f"obligation.{index}", wording) for index, (wording, _) in enumerate(judged.obligations, start=1)]
    return Suite(str(judged.model), _distinct(cases), properties)


def _distinct(cases: Iterable[Case]) -> list[Case]:
    """Cases of other names: readers take two of one name for one."""
    seen: dict[str, int] = {}
    found = []
    for case in cases:
        seen[case.name] = seen.get(case.name, 0) + 1
        again = seen[case.name] > 1
        found.append(Case(f"{case.name} #{seen[case.name]}", case.state, case.message, case.note) if again else case)
    return found


def _counts(cases: Sequence[Case], name: str) -> dict[str, str]:
    counts = {state: sum(case.state == state for case in cases) for state in (FAILURE, ERROR, SKIPPED)}
    return {
        "name": _clean(name), "tests": str(len(cases)), "failures": str(counts[FAILURE]),
        "errors": str(counts[ERROR]), "skipped": str(counts[SKIPPED]),
    }  # fmt: skip


def _clean(value: str) -> str:
    return printable(value)
