"""Which jobs of a ledger are run now, and about how long that takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from statistics import median

from safeconvert.batch.job import Job, State
from safeconvert.batch.ledger import Entry
from safeconvert.certificate.check import check
from safeconvert.certificate.digest import digest
from safeconvert.errors import UnusableInput


@dataclass(frozen=True)
class Plan:
    """What is to do.

    Attributes:
        run: jobs to run, in order.
        kept: entries that are done already.
        seconds: about how long all of `run` takes, one after the other; None where nothing of their commands was ever measured.
    """

    run: tuple[Job, ...]
    kept: tuple[Entry, ...]
    seconds: float | None


def plan(jobs: Sequence[Job], entries: Sequence[Entry], only: str = "", retry_failed: bool = False) -> Plan:
    """What a run of these jobs does.

    Args:
        jobs: of the manifest.
        entries: of the ledger, each job among them.
        only: run those alone whose names fit this pattern (`*resnet*`); "" for all.
        retry_failed: run again what crashed or ended with another exit code than 0.
    """
    known = {entry.name: entry for entry in entries}
    chosen, kept = [], []
    for job in jobs:
        entry = known[job.name]
        again = entry.state in (State.PENDING, State.RUNNING) or (retry_failed and entry.exit_code != 0)
        if again and (not only or fnmatch(job.name, only)):
            chosen.append(job)
        elif not again:
            kept.append(entry)
    return Plan(tuple(chosen), tuple(kept), _estimate(chosen, entries))


def outdated(jobs: Sequence[Job], entries: Sequence[Entry]) -> list[str]:
    """Names of verified jobs whose target is not there any more or not the file that was verified, or whose certificate is not."""
    known = {entry.name: entry for entry in entries}
    return [job.name for job in jobs if known[job.name].exit_code == 0 and not _in_place(job, known[job.name])]


def _in_place(job: Job, entry: Entry) -> bool:
    try:
        if entry.certificate and not check(Path(entry.certificate), target_only=True).ok:
            return False
        if job.output is None:
            return True
        return job.output.exists() and entry.target_sha256 in ("", digest(job.output).sha256)
    except UnusableInput:
        return False


def _estimate(jobs: Sequence[Job], entries: Sequence[Entry]) -> float | None:
    measured = {
        job.command: [entry.seconds for entry in entries if entry.command == job.command and entry.seconds > 0]
        for job in jobs
    }
    everything = [seconds for found in measured.values() for seconds in found]
    if not everything:
        return None
    return sum(median(measured[job.command] or everything) for job in jobs)
