"""`--profile FILE.json`: where the time of a run went, written however the run ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safeconvert.core.paths import make_way
from safeconvert.core.progress import Phases
from safeconvert.report.profile import MARK, write_profile


@contextmanager
def profiled(place: Path | None, phases: Phases) -> Iterator[Phases]:
    """The phases; what they and the workers did goes to the file at the end.

    Args:
        place: ends in .json, so that no model is overwritten by a slip; None for no file.
        phases: of the run.

    Raises:
        UnusableInput: a name with another ending, a file there that is no profile, or one that cannot be written.
    """
    if place is not None:
        make_way("--profile", place, (".json",), MARK)
    try:
        yield phases
    finally:
        if place is not None:
            write_profile(place, phases.trace.spans)
