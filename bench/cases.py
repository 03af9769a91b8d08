"""The public cases through safeconvert: what became of each command. `python bench/cases.py [--only NAME] [--folder DIR]`.

Each case (`../shared/cases`) is built by its own program, converted, and the target run by its framework alone on the case's inputs.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from dataclasses import asdict
from pathlib import Path

from common import ROOT, WORK, table, write

sys.path.insert(0, str(ROOT))
from tests.scenarios.public_cases import Case, build, public_cases, run


def main() -> None:
    """Run the cases chosen and write the table of all that were run so far."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", help="a case, or CASE:COMMAND; may be given several times")
    parser.add_argument("--folder", type=Path, default=WORK / "cases")
    parser.add_argument("--table", action="store_true", help="only the table, of what there is")
    own = parser.parse_args()
    rows = []
    for case in public_cases():
        for command in case.commands:
            kept = own.folder / case.name / f"{command.replace(' ', '_')}.json"
            chosen = not own.only or case.name in own.only or f"{case.name}:{command}" in own.only
            if chosen and not own.table:
                _run(case, command, own.folder, kept)
            if kept.exists():
                rows.append(_row(case, command, json.loads(kept.read_text())))
    header = ("case", "command", "expected", "exit", "outcome", "s", "what it said")
    if not own.only:
        write("cases", "The public cases", "python bench/cases.py", table(header, rows))


def _run(case: Case, command: str, folder: Path, kept: Path) -> None:
    build(case, folder)
    outcome = run(case, command, folder)
    kept.write_text(json.dumps(asdict(outcome)), encoding="utf-8")
    print(case.name, "|", command, "|", outcome.code, outcome.verdict, f"{outcome.seconds:.0f} s", "|",
          outcome.reason[:300], "|", *outcome.obligations, flush=True)  # fmt: skip


def _row(case: Case, command: str, outcome: dict) -> tuple[object, ...]:
    said = outcome["reason"] or "; ".join(outcome["obligations"])
    said = re.sub(r"\S*/(?=[^/\s]+/model)", "", " ".join(said.split()))[:200]
    return case.name, command, case.expected, outcome["code"], outcome["verdict"], f"{outcome['seconds']:.0f}", said


if __name__ == "__main__":
    main()
