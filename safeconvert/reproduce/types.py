"""What reproducing a fault came to, as data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Tried:
    """One run of a raw converter on one level.

    Attributes:
        subject: the converter.
        operators: of the level.
        outcome: `wrong`, `right`, `not reached` (a converter in front is wrong itself), `fails` or `not tried`.
        message: the program's figures, or why it failed.
    """

    subject: str
    operators: tuple[str, ...]
    outcome: str
    message: str


@dataclass(frozen=True)
class Packed:
    """What was written of a region.

    Attributes:
        folder: where.
        faults: positions of its faults in the certificate.
        title: of the issue.
        tried: every run, in order.
        wrong: the run that is packed, where a raw converter goes wrong on it.
    """

    folder: Path
    faults: tuple[int, ...]
    title: str
    tried: tuple[Tried, ...]
    wrong: Tried | None
