"""The local engine: as many jobs at a time as cores and memory allow, each in a slot.

A job is admitted where what jobs of its command took at most so far fits beside what runs; a command of which nothing is known counts as `UNKNOWN`.
One job is always admitted, so that nothing waits for memory that will never be there.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path

import psutil

from safeconvert.batch.job import Job, Result
from safeconvert.batch.ledger import Ledger
from safeconvert.batch.slot import Slot
from safeconvert.workers.template_server import serving

UNKNOWN = 3 << 30
"""Bytes that a job is taken to need before one of its command was measured: two frameworks and a small model."""

Ended = Callable[[Job, Result], None]


def slots_for(cores: int, memory: int, jobs: int) -> int:
    """How many slots are worth having: one a core, as many as `UNKNOWN` fits into memory, no more than jobs, and at least one."""
    return max(1, min(cores, memory // UNKNOWN, jobs))


def run_jobs(jobs: Sequence[Job], ledger: Ledger, logs: Path, slots: int, ended: Ended) -> None:
    """Run jobs to their ends and enter each in the ledger.

    Args:
        jobs: in the order in which they begin, where memory allows.
        ledger: has an entry for each; only this thread writes to it.
        logs: folder of the slots' logs.
        slots: how many run at a time at most.
        ended: told of each result, after the ledger.
    """
    logs.mkdir(parents=True, exist_ok=True)
    with serving() if slots > 1 else nullcontext() as server:
        _run([Slot(str(number), logs, server=server) for number in range(slots)], jobs, ledger, ended)


def _run(every: Sequence[Slot], jobs: Sequence[Job], ledger: Ledger, ended: Ended) -> None:
    waiting = list(jobs)
    running: dict[str, int] = {}
    free = list(every)
    results: queue.Queue[tuple[Job, Result, Slot]] = queue.Queue()
    budget = psutil.virtual_memory().available
    needs = ledger.peaks()

    def work(job: Job, slot: Slot) -> None:
        results.put((job, slot.run(job), slot))

    try:
        while waiting or running:
            while waiting and free:
                job = _admitted(waiting, running, needs, budget)
                if job is None:
                    break
                waiting.remove(job)
                running[job.name] = needs.get(job.command, UNKNOWN)
                ledger.begin(job.name)
                threading.Thread(target=work, args=(job, free.pop()), daemon=True).start()
            job, result, slot = results.get()
            del running[job.name]
            free.append(slot)
            needs[job.command] = max(needs.get(job.command, 0), result.peak) or UNKNOWN
            ledger.end(job.name, result)
            ended(job, result)
    finally:
        for slot in every:
            slot.close()


def _admitted(waiting: Sequence[Job], running: dict[str, int], needs: dict[str, int], budget: int) -> Job | None:
    """The first job that fits into memory beside what runs; any where nothing does."""
    if not running:
        return waiting[0]
    used = sum(running.values())
    return next((job for job in waiting if used + needs.get(job.command, UNKNOWN) <= budget), None)
