"""How much memory processes and all that they started take, at most.

Workers are forked from templates and share most of their pages with them: the sum of resident memory counts these once for each.
What they hold in proportion (PSS, Linux' `smaps_rollup`) counts them once, but takes milliseconds to read of a large process, and there
are ten of them beside a small job; so it is read only where the sum of resident memory has grown by a tenth, and may be so much short.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from safeconvert.workers.watch import family, used

_GROWN = 1.1


class PeakMemory:
    """The largest memory that was seen; bytes."""

    def __init__(self, roots: Sequence[int]) -> None:
        """With the numbers of the processes; more may come to them."""
        self._roots = roots
        self._resident = 0
        self.peak = 0

    def look(self) -> None:
        """Measure once more; 0 where the process is gone."""
        resident = {member: used(member)[0] for root in self._roots for member in family(root)}
        if sum(resident.values()) > self._resident * _GROWN:
            self._resident = sum(resident.values())
            self.peak = max(self.peak, sum(_proportional(pid, most) for pid, most in resident.items()))


def _proportional(pid: int, resident: int) -> int:
    """Its share of the pages that it holds; all of them where the system does not tell."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return resident
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith("Pss:")), resident)
