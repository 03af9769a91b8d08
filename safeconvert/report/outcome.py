"""What a command came to, as data."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from safeconvert.certificate.archive import Evidence
from safeconvert.core.obstacles import Obstacle
from safeconvert.errors import ExitCode
from safeconvert.registry.environments import Offer


@dataclass(frozen=True)
class Demo:
    """The demo's files and figures."""

    folder: Path
    model: Path
    inputs: Path
    trained_on: int
    held_out: int
    accuracy: float
    outcome: Outcome


@dataclass(frozen=True)
class Tried:
    """One route tried, or one repair of its target.

    Attributes:
        route: the converters in words.
        outcome: see `safeconvert.core.faults.RouteOutcome`.
        reason: one line.
        max_abs: largest distance of the native models, as text where it is not finite; None where nothing ran.
        seconds: from its start to its verdict; 0 for a repair.
    """

    route: str
    outcome: str
    reason: str
    max_abs: float | str | None
    seconds: float


@dataclass(frozen=True)
class Outcome:
    """A conversion's or verification's end.

    Attributes:
        exit_code: the process' exit code.
        reason: the verdict in one line.
        target: the output path; the target is there where the exit code is 0 (always for `verify`), else what was there before.
        rejected: where the last candidate was left, or None.
        certificate: where the certificate was written, or None.
        predicate: the certificate's content; {} where none was made.
        attempts: every route tried, the one kept last.
        obstacles: `operator` and `node` that converters named, where none could convert.
        offers: what adapters that are not installed would have offered, where nothing verified.
        compared: all routes were asked for, to keep the best.
        log: folder of the workers' logs, where something failed.
        evidence: what differed, for a report; None where nothing did.
        report: where the page was written, or None.
        settings_file: the settings file that was in force, or None.
        kept: files of the user's that stood where the target stands now, and where they lie.
    """

    exit_code: ExitCode
    reason: str
    target: Path
    rejected: Path | None
    certificate: Path | None
    predicate: dict[str, Any]
    attempts: tuple[Tried, ...]
    log: Path | None
    evidence: Evidence | None = None
    obstacles: tuple[Obstacle, ...] = ()
    offers: tuple[Offer, ...] = ()
    compared: bool = False
    report: Path | None = None
    settings_file: Path | None = None
    kept: tuple[Path, ...] = ()

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
            "settings_file": str(self.settings_file) if self.settings_file else None,
            "attempts": [asdict(attempt) for attempt in self.attempts],
            "obstacles": [one.to_json() for one in self.obstacles],
            "offers": [asdict(offer) for offer in self.offers],
            "log": str(self.log) if self.log else None,
            "kept": [str(path) for path in self.kept],
            "predicate": self.predicate,
        }
