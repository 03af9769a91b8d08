"""Seconds of the test suite: `python bench/tests.py` runs `make test`'s pytest and writes the table
of its slowest steps.

`--all` runs what `make test-all` runs. `--before LOG` takes the table "before" from a log of `pytest --durations=…`, and keeps it in
`results/tests_before.json`, from where later runs take it.
"""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from common import RESULTS, ROOT, table, write

SUITES = {"make test": "not data and not slow", "make test-all": "not data"}
_BEFORE = RESULTS / "tests_before.json"
_DURATION = re.compile(r"^ *([\d.]+)s (call|setup|teardown) +(\S.*)$", re.MULTILINE)
_SUMMARY = re.compile(r"^=+ (.*\b(?:passed|failed|error)\b.*?) in ([\d.]+)s.*=+$", re.MULTILINE)
_SHOWN = 30


def main() -> None:
    """Run, and write the tables before and after."""
    if "--before" in sys.argv:
        log = Path(sys.argv[sys.argv.index("--before") + 1])
        note = sys.argv[sys.argv.index("--note") + 1] if "--note" in sys.argv else ""
        _BEFORE.write_text(json.dumps({**_read(log.read_text(encoding="utf-8")), "note": note}, indent=1) + "\n")
        return
    suite = "make test-all" if "--all" in sys.argv else "make test"
    command = [sys.executable, "-m", "pytest", "-n", "3", "--dist", "worksteal", "-m", SUITES[suite],
               "--durations=0", "--durations-min=1"]  # fmt: skip
    load, began = os.getloadavg(), time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    seconds, used = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    log = ROOT / "build" / "bench" / "tests.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text(done.stdout, encoding="utf-8")
    print(done.stdout[-3000:], f"all of it: {log}", sep="\n")
    after = _read(done.stdout)
    facts = [
        ("tests", after["tests"]),
        ("seconds", f"{seconds:.0f}"),
        ("seconds of processors", f"{used.ru_utime + used.ru_stime:.0f}"),
        ("load average at the start and at the end", f"{load[0]:.1f}, {os.getloadavg()[0]:.1f}"),
    ]
    write("tests", "Seconds of the test suite", _said(command), _body(suite, facts, after))
    sys.exit(done.returncode)


def _body(suite: str, facts: list[tuple[str, str]], after: dict[str, Any]) -> str:
    parts = [f"## After: `{suite}`", table(("what", "measured"), facts), _slowest(after)]
    if _BEFORE.is_file():
        before = json.loads(_BEFORE.read_text(encoding="utf-8"))
        measured = [("tests", before["tests"]), ("seconds", f"{before['seconds']:.0f}")]
        parts += ["## Before", before["note"], table(("what", "measured"), measured), _slowest(before)]
    return "\n\n".join(part for part in parts if part)


def _slowest(found: dict[str, Any]) -> str:
    return table(("s", "step", "test"), found["slowest"][:_SHOWN])


def _read(text: str) -> dict[str, Any]:
    """The summary and the slowest steps in what pytest printed."""
    summary = _SUMMARY.findall(text)
    tests, seconds = summary[-1] if summary else ("no summary", "0")
    slowest = [(float(spent), step, test) for spent, step, test in _DURATION.findall(text)]
    return {"tests": tests, "seconds": float(seconds), "slowest": slowest}


def _said(command: list[str]) -> str:
    return " ".join(f"'{word}'" if " " in word else word for word in ["python", *command[1:]])


if __name__ == "__main__":
    main()
