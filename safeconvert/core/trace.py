"""What the processes of a run did, and when: spans on one clock, for `--profile`.

`time.monotonic` is one clock for all processes of a machine on Linux (CLOCK_MONOTONIC), so that what a worker tells of itself lies on
the host's time line. Standard library only.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from time import monotonic


class Category(StrEnum):
    """What a span is of."""

    PHASE = "phase"
    """A step of the run, in the host."""
    CALL = "call"
    """The host waits for a worker."""
    WORK = "work"
    """A worker does what it was asked for."""
    START = "start"
    """A worker's process begins and contains itself."""
    IMPORT = "import"
    """A framework is imported."""


HOST = "safeconvert"
"""Name of the host's process."""


@dataclass(frozen=True)
class Span:
    """One thing done.

    Attributes:
        name: what was done, in words.
        category: what it is of.
        process, pid: who did it.
        thread: native number of the thread; the pid where it is the process' only one.
        start, end: seconds of `time.monotonic`.
        cpu: processor seconds that the process took meanwhile; 0 where nobody measured.
    """

    name: str
    category: Category
    process: str
    pid: int
    thread: int
    start: float
    end: float
    cpu: float = 0.0


class Trace:
    """Collects spans, each once. Safe to use from several threads."""

    def __init__(self) -> None:
        self._spans: dict[Span, None] = {}
        self._lock = threading.Lock()

    def add(self, span: Span) -> None:
        """One more, unless it is known: each worker of a template tells when that imported."""
        with self._lock:
            self._spans[span] = None

    @contextmanager
    def host(self, name: str, category: Category) -> Iterator[None]:
        """What happens within, in this thread of the host."""
        start = monotonic()
        try:
            yield
        finally:
            self.add(Span(name, category, HOST, os.getpid(), threading.get_native_id(), start, monotonic()))

    @property
    def spans(self) -> tuple[Span, ...]:
        """All so far, by their beginning."""
        with self._lock:
            return tuple(sorted(self._spans, key=lambda span: (span.start, -span.end, span.pid, span.name)))
