"""The worker processes of one run."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from safeconvert.errors import AdapterFailure
from safeconvert.workers.requests import ImportModules
from safeconvert.workers.worker import Limits, Worker


@dataclass(frozen=True)
class WorkerKey:
    """Which process: the role it plays in this conversion, and the interpreter it runs in."""

    lane: str
    python: Path


class WorkerPool:
    """The workers of one conversion. Use as a context manager: leaving it ends every process."""

    def __init__(self, logs: Path, scratch: Path, limits: Limits) -> None:
        self._logs = logs
        self._scratch = scratch
        self._limits = limits
        self._workers: dict[WorkerKey, Worker] = {}
        self._failed = False
        self._lock = threading.Lock()

    def __enter__(self) -> WorkerPool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def worker(self, lane: str, python: Path = Path(sys.executable)) -> Worker:
        """The worker of a lane in an interpreter; made at first use, reused afterwards."""
        key = WorkerKey(lane, python)
        with self._lock:
            if key not in self._workers:
                log = self._logs / f"{lane}-{len(self._workers)}.log"
                self._workers[key] = Worker(python, log, self._limits, self._scratch)
            return self._workers[key]

    @property
    def failed(self) -> bool:
        """Whether any call of any worker went wrong."""
        return self._failed or any(worker.failed for worker in self._workers.values())

    def keep_logs(self) -> None:
        """Count as failed, so that the logs are kept."""
        self._failed = True

    def warm(self, lane: str, python: Path, modules: Sequence[str]) -> None:
        """Import modules in a lane ahead of need. Failures are left for the call that needs them."""
        try:
            self.worker(lane, python).call(lane, "importing its framework", ImportModules(modules))
        except AdapterFailure:
            return

    def close(self) -> None:
        """End all processes."""
        with self._lock:
            for worker in self._workers.values():
                worker.close()
