"""Phases of a run: how long each took, and a live display for a person at a terminal."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from safeconvert.core.trace import Category, Trace

if TYPE_CHECKING:
    from rich.progress import Progress

Advance = Callable[[int], None]


class Phases:
    """Times phases by name; shows them where a display is given. Safe to use from several threads.

    Attributes:
        seconds: by phase.
        trace: all spans of the run; the workers' are added to those of the phases.
    """

    def __init__(self, display: Progress | None = None) -> None:
        self.seconds: dict[str, float] = {}
        self.trace = Trace()
        self._display = display

    @contextmanager
    def phase(self, name: str, total: int | None = None) -> Iterator[Advance]:
        """One phase; yields a function that says how many more of `total` are done."""
        started = time.perf_counter()
        display = self._display
        task = display.add_task(name, total=total) if display is not None else None

        def advance(count: int) -> None:
            if display is not None and task is not None:
                display.advance(task, count)

        try:
            with self.trace.host(name, Category.PHASE):
                yield advance
        finally:
            self.seconds[name] = round(self.seconds.get(name, 0.0) + time.perf_counter() - started, 3)
            if display is not None and task is not None:
                display.update(task, total=total or 1, completed=total or 1)


@contextmanager
def display(enabled: bool) -> Iterator[Phases]:
    """Phases with a rich display on stderr, or without one."""
    if not enabled:
        yield Phases()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield Phases(progress)
