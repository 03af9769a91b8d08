"""What one run of safeconvert holds on to: its scratch folder, its logs, its workers, its threads, its settings."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Hashable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from safeconvert.adapter_api.protocol import ConvertReply
from safeconvert.config.settings import Settings
from safeconvert.core.containment import Mode
from safeconvert.core.interrupts import Interrupted
from safeconvert.core.once import Once
from safeconvert.core.progress import Phases
from safeconvert.core.resources import data_folder
from safeconvert.registry.environments import Environment, known
from safeconvert.registry.manifest import Adapter
from safeconvert.workers.grants import policy_for
from safeconvert.workers.pool import WorkerPool
from safeconvert.workers.scratch import scratch_folder
from safeconvert.workers.templates import run_templates
from safeconvert.workers.worker import Limits

_THREADS = 8
"""Calls of workers at once: two frameworks begin, an export, a conversion, the source, its file read, the ONNX form, and one to spare."""


@dataclass(frozen=True)
class Run:
    """The surroundings of a run.

    Attributes:
        scratch: folder that workers write in, removed at the end.
        copies: folder that workers only read, removed at the end.
        logs: folder of the workers' logs.
        pool: the worker processes.
        threads: for what goes on while a worker is busy; joined before the workers end.
        settings: of the run.
        phases: times what is done, and shows it.
        adapters: those that can be tried.
        missing: those that cannot, since they are not installed, and why.
        steps: what converters made so far, by adapter and request.
        forms: what ONNX forms gave so far, as files by the form and the inputs.
    """

    scratch: Path
    copies: Path
    logs: Path
    pool: WorkerPool
    threads: ThreadPoolExecutor
    settings: Settings
    phases: Phases
    adapters: tuple[Adapter, ...]
    missing: tuple[tuple[Adapter, Environment], ...] = ()
    steps: Once[tuple[Path, ConvertReply]] = field(default_factory=Once)
    forms: dict[Hashable, Mapping[str, Path]] = field(default_factory=dict)

    def folder(self, name: str) -> Path:
        """A new folder in the scratch space, which workers write."""
        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.scratch))

    def kept(self, name: str) -> Path:
        """A new folder for what workers read and must not change."""
        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.copies))


@contextmanager
def open_run(settings: Settings, phases: Phases) -> Iterator[Run]:
    """Make the folders and the worker pool; end the workers and remove the scratch folder on the way out.

    The logs are removed where every call of a worker went well, and kept otherwise.
    """
    memory = int(psutil.virtual_memory().total * settings.limits.memory_share)
    logs = _log_folder(settings.logs.kept)
    usable, missing = known(settings.adapters)
    with scratch_folder() as scratch:
        work, copies = scratch / "work", scratch / "copies"
        for folder in (work, copies):
            folder.mkdir()
        folders = dict.fromkeys(adapter.folder.parent for adapter in (*usable, *(one for one, _ in missing)))
        readable = [copies, data_folder("configs"), *folders]
        policy = policy_for(Mode(settings.limits.containment), readable, [work], memory)
        limits = Limits(settings.limits.seconds, memory)
        with run_templates() as templates, WorkerPool(logs, work, limits, policy, templates, phases.trace) as pool:
            with _threads(pool) as threads:
                yield Run(work, copies, logs, pool, threads, settings, phases, usable, missing)
            failed = pool.failed
    if not failed:
        shutil.rmtree(logs, ignore_errors=True)


@contextmanager
def _threads(pool: WorkerPool) -> Iterator[ThreadPoolExecutor]:
    """Threads that wait for workers. Told to end, nobody waits for what they do: the workers are killed first."""
    executor = ThreadPoolExecutor(max_workers=_THREADS)
    try:
        yield executor
    except (Interrupted, KeyboardInterrupt):
        pool.end()
        raise
    finally:
        executor.shutdown(wait=not pool.ended, cancel_futures=pool.ended)


def _log_folder(kept: int) -> Path:
    """A new folder for this run's logs in the user's state folder; older ones past `kept` are removed, unless their run goes on."""
    state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    root = state / "safeconvert" / "logs"
    name = f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}-"
    try:
        root.mkdir(parents=True, exist_ok=True)
        logs = Path(tempfile.mkdtemp(prefix=name, dir=root))
    except OSError:
        return Path(tempfile.mkdtemp(prefix=f"safeconvert-logs-{name}"))
    for old in sorted(root.iterdir(), reverse=True)[max(kept, 1) :]:
        if not _goes_on(old):
            shutil.rmtree(old, ignore_errors=True)
    return logs


def _goes_on(logs: Path) -> bool:
    """Whether the process that a log folder is named after is there."""
    parts = logs.name.split("-")
    return len(parts) > 2 and parts[2].isdecimal() and psutil.pid_exists(int(parts[2]))
