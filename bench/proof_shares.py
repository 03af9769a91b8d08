"""How many of the real conversions are proven and what that took: counted in the tables that `pairs`, `matrix` and `zoo` keep under bench/results/."""

from __future__ import annotations

import re
import statistics
from dataclasses import dataclass

from common import RESULTS, table

TABLES = ("pairs", "matrix", "zoo")
_DATED = re.compile(r"on (\d{4}-\d\d-\d\d), commit (\w+)")


@dataclass(frozen=True)
class Conversion:
    """A row of a table: what was said of it, and the seconds of it and its proof (0.0 where these were not kept)."""

    verified: bool
    level: str
    seconds: float
    proving: float

    @property
    def between_forms(self) -> bool:
        """Whether both ONNX forms are proven equal, or are one and the same graph."""
        return self.level in ("native", "onnx", "same")


def shares() -> str:
    """The section of the table."""
    found = {name: _conversions(name) for name in TABLES}
    everything = [row for _, rows in found.values() for row in rows]
    lines = [(name, dated, *_counted(rows)) for name, (dated, rows) in found.items()]
    head = (
        "table", "measured", "conversions", "verified", "proven between ONNX forms", "end to end",
        "share of the seconds, median", "at most",
    )  # fmt: skip
    return (
        "## Shares\n\nCounted in the tables of the benches themselves, where every row says its level, its seconds and those of its proof (reading both files and proving; part of "
        "it runs beside other work). Conversions whose ONNX forms are one and the same graph count as proven between forms.\n\n"
        + table(head, [*lines, ("all", "", *_counted(everything))])
    )


def _counted(rows: list[Conversion]) -> tuple[str, ...]:
    verified = [row for row in rows if row.verified]
    between, whole = sum(row.between_forms for row in verified), sum(row.level == "native" for row in verified)
    parts = [row.proving / row.seconds for row in verified if row.proving and row.seconds]
    times = (f"{statistics.median(parts):.0%} of {len(parts)}", f"{max(parts):.0%}") if parts else ("not kept", "")
    return (
        str(len(rows)), str(len(verified)), f"{between} ({between / max(len(verified), 1):.0%})",
        f"{whole} ({whole / max(len(verified), 1):.0%})", *times,
    )  # fmt: skip


def _conversions(name: str) -> tuple[str, list[Conversion]]:
    """When a table was written and on which commit, and its rows; the part of it that is there where the whole is not."""
    path = RESULTS / f"{name}-part.md"
    text = (path if path.exists() else RESULTS / f"{name}.md").read_text(encoding="utf-8")
    dated = _DATED.search(text)
    lines = [[cell.strip() for cell in line[1:-1].split("|")] for line in text.splitlines() if line.startswith("|")]
    start = next(place for place, cells in enumerate(lines) if "proof" in cells)
    head = {title: column for column, title in enumerate(lines[start])}
    verdict = head.get("verdict", head.get("safeconvert", 0))
    rows = [
        Conversion(
            cells[verdict] == "verified",
            re.split(r"[: ]", cells[head["proof"]])[0],
            _number(cells[head["s"]]),
            _number(cells[head["s of proof"]]) if "s of proof" in head else 0.0,
        )
        for cells in lines[start + 2 :]
        if len(cells) == len(head)
    ]
    return " on ".join(dated.groups()) if dated else "", rows


def _number(cell: str) -> float:
    return float(cell) if cell else 0.0
