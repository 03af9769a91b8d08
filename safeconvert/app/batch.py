"""`batch`: a manifest's jobs run, their states kept, and one exit code for all."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path

import psutil

from safeconvert.batch.engine import Ended, run_jobs, slots_for
from safeconvert.batch.job import Job, Result
from safeconvert.batch.ledger import Entry, Ledger, open_ledger
from safeconvert.batch.manifest import folder_jobs, read_manifest, with_pages
from safeconvert.batch.plan import Plan, outdated, plan
from safeconvert.batch.ray_engine import run_on_ray
from safeconvert.certificate.digest import digest
from safeconvert.core.files import is_folder
from safeconvert.core.paths import PAGE_MARK, require_own
from safeconvert.core.progress import Phases
from safeconvert.errors import ExitCode, UnusableInput
from safeconvert.report import junit
from safeconvert.report.batch_index import JobReport, write_index

INDEX = "index.html"
"""Name of the page that lists all jobs, in the folder of results."""


class Engine(StrEnum):
    """What runs the jobs."""

    LOCAL = "local"
    """Slots on this machine."""
    RAY = "ray"
    """Tasks of a Ray cluster."""


@dataclass(frozen=True)
class BatchOptions:
    """One batch.

    Attributes:
        manifest: a `.toml` or `.jsonl` file, or a folder of models.
        results: where the ledger, the logs, and targets without an output of their own go.
        command: the pair of formats for a folder.
        pattern: which files of a folder.
        only: run jobs alone whose names fit this pattern; "" for all.
        retry_failed: run failed ones again.
        slots: jobs at a time; None takes what cores and memory allow.
        junit: JUnit XML of all jobs is written here; None for none.
        engine: what runs the jobs.
        address: of a Ray cluster; "" for one on this machine.
    """

    manifest: Path
    results: Path
    command: str = ""
    pattern: str = ""
    only: str = ""
    retry_failed: bool = False
    slots: int | None = None
    junit: Path | None = None
    engine: Engine = Engine.LOCAL
    address: str = ""


@dataclass(frozen=True)
class BatchOutcome:
    """What a batch came to: the plan that was made, and every job as the ledger has it at the end."""

    plan: Plan
    entries: tuple[Entry, ...]

    @property
    def exit_code(self) -> int:
        """The largest of all jobs, 4 for one that crashed or was not run; 0 only where every job is verified."""
        return max((int(entry.code) for entry in self.entries), default=int(ExitCode.NO_VERDICT))


def jobs_of(options: BatchOptions) -> tuple[Job, ...]:
    """The jobs of a manifest or a folder. Raises UnusableInput."""
    if not is_folder(options.manifest):
        if options.command or options.pattern:
            raise UnusableInput(f"{options.manifest}: --command and --pattern are for a folder of models")
        return read_manifest(options.manifest, options.results)
    if not (options.command and options.pattern):
        raise UnusableInput(
            f"{options.manifest}: a folder needs --pattern and --command", "--pattern '*.pt' --command torch2onnx"
        )
    return folder_jobs(options.manifest, options.pattern, options.command, options.results)


def run_batch(options: BatchOptions, ended: Ended, dry_run: bool = False, phases: Phases | None = None) -> BatchOutcome:
    """Run what is not done yet.

    Args:
        options: of the batch.
        ended: told of each job's result as it comes.
        dry_run: only say what would be run.
        phases: show how many jobs have ended.

    Raises:
        UnusableInput: the manifest or the ledger cannot be used, or a file stands in the place of what is written at the end.
    """
    results = options.results.absolute()
    require_own("--results", results / INDEX, PAGE_MARK)
    if options.junit is not None:
        require_own("--junit", options.junit, junit.MARK)
    jobs = with_pages(jobs_of(options), results / "reports")
    hashed = cache(lambda path: digest(path).sha256)
    with open_ledger(results) as ledger:
        ledger.enter([(job, job.fingerprint(hashed)) for job in jobs])
        ledger.reset(outdated(jobs, ledger.entries()))
        found = plan(jobs, ledger.entries(), options.only, options.retry_failed)
        if dry_run:
            return BatchOutcome(found, _entries(ledger, jobs))
        (results / "reports").mkdir(exist_ok=True)
        if found.run:
            for job in found.run:
                if job.page is not None:
                    job.page.unlink(missing_ok=True)
            ledger.reset([job.name for job in found.run])
            with (phases or Phases()).phase("jobs", len(found.run)) as advance:

                def told(job: Job, result: Result) -> None:
                    ended(job, result)
                    advance(1)

                _run(found.run, ledger, options, told)
        _write_reports(ledger, jobs, options)
        return BatchOutcome(found, _entries(ledger, jobs))


def _run(jobs: Sequence[Job], ledger: Ledger, options: BatchOptions, ended: Ended) -> None:
    logs = options.results.absolute() / "logs"
    match options.engine:
        case Engine.RAY:
            run_on_ray(jobs, ledger, logs, options.address, ended)
        case Engine.LOCAL:
            slots = options.slots or slots_for(os.cpu_count() or 1, psutil.virtual_memory().available, len(jobs))
            run_jobs(jobs, ledger, logs, slots, ended)


def _entries(ledger: Ledger, jobs: Sequence[Job]) -> tuple[Entry, ...]:
    """Those of these jobs, in their order."""
    known = {entry.name: entry for entry in ledger.entries()}
    return tuple(known[job.name] for job in jobs)


def _write_reports(ledger: Ledger, jobs: Sequence[Job], options: BatchOptions) -> None:
    """The index, and the JUnit file where one is wanted."""
    write_index(options.results.absolute() / INDEX, _reports(ledger, jobs))
    if options.junit is not None:
        junit.write(options.junit, junit.of_batch(_reports(ledger, jobs)))


def _reports(ledger: Ledger, jobs: Sequence[Job]) -> Iterator[JobReport]:
    """What is shown of each job; answers are read as they are asked for, since those of ten thousand jobs are gigabytes."""
    for job, entry in zip(jobs, _entries(ledger, jobs), strict=True):
        yield JobReport(
            entry.name, job.command, entry.code, entry.verdict or entry.state.value, entry.reason,
            ledger.answer(entry.name), job.page if job.page is not None and job.page.exists() else None,
            entry.seconds, entry.peak, entry.attempt,
        )  # fmt: skip


def summary(entries: Sequence[Entry]) -> dict[str, int]:
    """How many jobs came to each verdict, by verdict."""
    counts: dict[str, int] = {}
    for entry in entries:
        key = entry.verdict or entry.state.value
        counts[key] = counts.get(key, 0) + 1
    return dict(sorted(counts.items()))
