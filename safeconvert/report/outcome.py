"""What a command came to, as data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safeconvert.errors import ExitCode
from safeconvert.evidence.archive import Evidence


@dataclass(frozen=True)
class Outcome:
    """A conversion's or verification's end.

    Attributes:
        exit_code: the process' exit code.
        reason: the verdict in one line.
        target: the output path; a file is there only where the exit code is 0 (always there for `verify`).
        rejected: where the last candidate was left, or None.
        certificate: where the certificate was written, or None.
        predicate: the certificate's content; {} where none was made.
        attempts: (route, outcome, reason) of every route tried.
        log: folder of the workers' logs, where something failed.
        evidence: what differed, for a report; None where nothing did.
        report: where the page was written, or None.
    """

    exit_code: ExitCode
    reason: str
    target: Path
    rejected: Path | None
    certificate: Path | None
    predicate: dict[str, Any]
    attempts: tuple[tuple[str, str, str], ...]
    log: Path | None
    evidence: Evidence | None = None
    report: Path | None = None

    def to_json(self) -> dict[str, Any]:
        """The one JSON object of `--json`."""
        return {
            "exit_code": int(self.exit_code),
            "verdict": self.exit_code.name.lower(),
            "reason": self.reason,
            "target": str(self.target),
            "rejected": str(self.rejected) if self.rejected else None,
            "certificate": str(self.certificate) if self.certificate else None,
            "report": str(self.report) if self.report else None,
            "attempts": [dict(zip(("route", "outcome", "reason"), attempt, strict=True)) for attempt in self.attempts],
            "log": str(self.log) if self.log else None,
            "predicate": self.predicate,
        }
