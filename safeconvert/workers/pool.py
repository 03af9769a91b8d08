"""The worker processes of one run."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType

from safeconvert.core.containment import Level, Mode
from safeconvert.core.trace import Trace
from safeconvert.errors import AdapterFailure
from safeconvert.workers.containment.policy import UNCONTAINED, Held, Policy
from safeconvert.workers.requests import ImportModules
from safeconvert.workers.templates import Templates
from safeconvert.workers.worker import Limits, Worker


@dataclass(frozen=True)
class WorkerKey:
    """Which process: the role it plays in this conversion, and the interpreter it runs in."""

    role: str
    python: Path


class WorkerPool:
    """The workers of one conversion. Use as a context manager: leaving it ends every process."""

    def __init__(
        self,
        logs: Path,
        scratch: Path,
        limits: Limits,
        policy: Policy = UNCONTAINED,
        templates: Templates | None = None,
        trace: Trace | None = None,
    ) -> None:
        """With templates, whose owner closes them, workers are forked from these where they can be; a trace is told what they do."""
        self._templates = templates
        self._trace = Trace() if trace is None else trace
        self._logs = logs
        self._policy = policy
        self._names: dict[str, str] = {}
        self._scratch = scratch
        self._limits = limits
        self._workers: dict[WorkerKey, Worker] = {}
        self._failed = False
        self.ended = False
        self._lock = threading.Lock()

    def __enter__(self) -> WorkerPool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def worker(self, role: str, python: Path = Path(sys.executable)) -> Worker:
        """The worker of a role in an interpreter; made at first use, reused afterwards."""
        key = WorkerKey(role, python)
        with self._lock:
            if self.ended:
                raise RuntimeError("the workers of this run were ended")
            if key not in self._workers:
                log = self._logs / f"{role}-{len(self._workers)}.log"
                self._workers[key] = Worker(
                    python, log, self._limits, self._scratch, self._policy, self._names, self._templates
                )
                self._workers[key].trace = self._trace
            return self._workers[key]

    def names(self, copy: Path, given: Path) -> None:
        """Have messages of workers name the file that a copy was made of."""
        self._names[str(copy)] = str(given)

    def given(self, path: Path) -> Path:
        """The file that a copy was made of; any other path as it is."""
        return Path(self._names.get(str(path), path))

    def allow(self, paths: Iterable[Path], listed: Iterable[Path] = ()) -> None:
        """Let the workers that are made from now on read these too, and see the names in folders that are `listed`."""
        with self._lock:
            readable = (*self._policy.readable, *map(str, paths))
            self._policy = replace(self._policy, readable=readable, listed=(*self._policy.listed, *map(str, listed)))

    @property
    def mode(self) -> Mode:
        """How much containment is asked for."""
        return self._policy.mode

    @property
    def held(self) -> dict[str, Held]:
        """What containment each role's workers had, where they differ the weaker; in the roles' order by name."""
        found: dict[str, Held] = {}
        for key, worker in sorted(self._workers.items(), key=lambda item: (item[0].role, str(item[0].python))):
            if worker.held is not None and (key.role not in found or worker.held.level is not Level.FULL):
                found[key.role] = worker.held
        return found

    def end(self) -> None:
        """Kill every process and start no other, so that whoever waits for one goes on at once."""
        self.ended = True
        for worker in tuple(self._workers.values()):
            worker.end()

    @property
    def failed(self) -> bool:
        """Whether any call of any worker went wrong."""
        return self._failed or any(worker.failed for worker in self._workers.values())

    def keep_logs(self) -> None:
        """Count as failed, so that the logs are kept."""
        self._failed = True

    def warm(self, role: str, python: Path, modules: Sequence[str]) -> None:
        """Import modules in a role ahead of need. Failures are left for the call that needs them."""
        try:
            self.worker(role, python).call(role, "importing its framework", ImportModules(modules))
        except AdapterFailure:
            return

    def close(self) -> None:
        """End all processes."""
        with self._lock:
            for worker in self._workers.values():
                worker.close()
