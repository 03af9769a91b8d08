"""`batch`: a manifest's jobs run, their states kept, and one exit code for all."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from safeconvert.batch.engine import run_jobs, slots_for
from safeconvert.batch.job import Job, Result
from safeconvert.batch.ledger import Entry, open_ledger
from safeconvert.batch.manifest import folder_jobs, read_manifest
from safeconvert.batch.plan import Plan, plan
from safeconvert.core.files import is_folder
from safeconvert.errors import ExitCode, UnusableInput


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
    """

    manifest: Path
    results: Path
    command: str = ""
    pattern: str = ""
    only: str = ""
    retry_failed: bool = False
    slots: int | None = None


@dataclass(frozen=True)
class BatchOutcome:
    """What a batch came to: the plan that was made, and every job as the ledger has it at the end."""

    plan: Plan
    entries: tuple[Entry, ...]

    @property
    def exit_code(self) -> int:
        """The worst of all jobs: 4 for a crash, else the largest; 0 where nothing is left to be desired."""
        codes = [_code(entry) for entry in self.entries]
        return max(codes, default=0)


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


def run_batch(options: BatchOptions, ended: Callable[[Job, Result], None], dry_run: bool = False) -> BatchOutcome:
    """Run what is not done yet.

    Args:
        options: of the batch.
        ended: told of each job's result as it comes.
        dry_run: only say what would be run.

    Raises:
        UnusableInput: the manifest or the ledger cannot be used.
    """
    jobs = jobs_of(options)
    with open_ledger(options.results.absolute()) as ledger:
        ledger.enter([(job, job.fingerprint()) for job in jobs])
        named = {job.name for job in jobs}
        found = plan(jobs, ledger.entries(), options.only, options.retry_failed)
        if not dry_run and found.run:
            ledger.reset([job.name for job in found.run])
            slots = options.slots or slots_for(os.cpu_count() or 1, psutil.virtual_memory().available, len(found.run))
            run_jobs(found.run, ledger, options.results.absolute() / "logs", slots, ended)
        return BatchOutcome(found, tuple(entry for entry in ledger.entries() if entry.name in named))


def summary(entries: Sequence[Entry]) -> dict[str, int]:
    """How many jobs came to each verdict, by verdict."""
    counts: dict[str, int] = {}
    for entry in entries:
        key = entry.verdict or entry.state.value
        counts[key] = counts.get(key, 0) + 1
    return dict(sorted(counts.items()))


def _code(entry: Entry) -> int:
    return int(ExitCode.NO_VERDICT) if entry.exit_code is None else entry.exit_code
