"""Obligations that a deployment is known to meet, as its people say in a TOML file:

[[accepted]]
model = "models/digits.keras"       # relative to this file; * and ? match
obligation = "input input: target takes the source's dimensions in the order [0, 2, 3, 1]"
reason = "the service feeds channels last"      # optional, for readers
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from safeconvert.core.documents import read_toml
from safeconvert.errors import UnusableInput

_KEYS = {"model", "obligation", "reason"}


@dataclass(frozen=True)
class Accepted:
    """One obligation of one model, or of all that match."""

    folder: Path
    model: str
    obligation: str

    def covers(self, model: Path, obligation: str) -> bool:
        """Whether it speaks of this obligation of this model."""
        relative = Path(os.path.relpath(model.absolute(), self.folder)).as_posix()
        return self.obligation == obligation and fnmatchcase(relative, self.model)


def read_accepted(path: Path) -> tuple[Accepted, ...]:
    """The entries of a file. Raises UnusableInput for one that is not written as above; the message names the entry."""
    try:
        table = read_toml(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UnusableInput(f"{path}: cannot be read as TOML: {error}") from error
    entries = table.pop("accepted", [])
    if table or not isinstance(entries, list):
        raise UnusableInput(
            f"{path}: holds {', '.join(table) or 'accepted as no list'}", "write entries below [[accepted]]"
        )
    return tuple(_entry(path, number, entry) for number, entry in enumerate(entries, start=1))


def unused(accepted: Sequence[Accepted], obligations: Sequence[tuple[Path, str]]) -> list[Accepted]:
    """Entries that cover nothing: misspelt, or of an obligation that is no more."""
    return [entry for entry in accepted if not any(entry.covers(*each) for each in obligations)]


def _entry(path: Path, number: int, entry: object) -> Accepted:
    if (
        not isinstance(entry, dict)
        or not {"model", "obligation"} <= set(entry) <= _KEYS
        or not all(isinstance(value, str) for value in entry.values())
    ):
        raise UnusableInput(
            f"{path}: entry {number} of [[accepted]] is {entry!r}",
            'it takes model = "…", obligation = "…" and perhaps reason = "…"',
        )
    return Accepted(path.absolute().parent, entry["model"], entry["obligation"])
