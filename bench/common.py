"""What the benches share: the versions line, a table in Markdown, and running a command."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT.parent / "shared" / "data"
RESULTS = ROOT / "bench" / "results"
WORK = ROOT / "build" / "bench"
_PACKAGES = (
    "torch", "tensorflow", "keras", "onnx", "onnxruntime", "onnxscript", "tf2onnx", "onnx2torch", "onnx2keras",
    "onnxmltools", "numpy",
)  # fmt: skip


def _commit() -> str:
    """The commit that is measured, and whether the code differs from it."""
    parts = ("safeconvert", "adapters", "configs", "bench", ":!bench/results")
    commit, changed = (
        subprocess.run(["git", *words], capture_output=True, text=True, cwd=ROOT, check=True).stdout.strip()
        for words in (["rev-parse", "--short", "HEAD"], ["status", "--porcelain", "--", *parts])
    )
    return f"{commit} with changes" if changed else commit


MEASURED = _commit()
"""When a bench begins: its table is written hours later, perhaps beside other code."""


def versions() -> str:
    """One line: Python, cores, and the packages that matter."""
    named = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in _PACKAGES)
    return f"Python {platform.python_version()}, {os.cpu_count()} cores, {named}"


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [" | ".join(header), " | ".join("---" for _ in header)]
    lines += [" | ".join(str(cell).replace("|", "/") for cell in row) for row in rows]
    return "\n".join(f"| {line} |" for line in lines)


_PLACES = re.compile(
    "|".join(rf"{re.escape(str(place))}/(\S*/)?" for place in (ROOT, tempfile.gettempdir(), Path.home()))
)
"""Folders of this machine, which messages name."""


def write(name: str, title: str, command: str, body: str) -> None:
    """Print a result and keep it under bench/results/."""
    text = f"# {title}\n\n`{command}` on {date.today().isoformat()}, commit {MEASURED}; {versions()}.\n\n{_PLACES.sub('', body)}\n"
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"{name}.md").write_text(text, encoding="utf-8")
    print(text)


def earlier_rows(name: str) -> list[list[str]]:
    """The cells of the first table that is kept under bench/results/, the commit at the end of each row; [] where there is none."""
    path = RESULTS / f"{name}.md"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    lines = [
        line.strip("|").strip().split(" | ")
        for line in text.split("\n\n")
        for line in line.splitlines()
        if line.startswith("|")
    ]
    commit = re.search(r"commit (\w+( with changes)?)", text)
    if not lines or commit is None:
        return []
    own = [] if lines[0][-1] == "commit" else [commit[1]]
    return [[*row, *own] for row in lines[2:] if len(row) == len(lines[0])]


def safeconvert(*arguments: object) -> tuple[int, dict]:
    """Run the command line with --json. Returns its exit code and its object."""
    done = subprocess.run(
        [sys.executable, "-m", "safeconvert.cli", *map(str, arguments), "--json"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    try:
        return done.returncode, json.loads(done.stdout)
    except json.JSONDecodeError:
        return done.returncode, {"reason": (done.stderr.strip().splitlines() or ["no output"])[-1], "predicate": {}}


class Slot:
    """`safeconvert` as a slot of a batch runs it: one process stays, and imports each framework once."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def __call__(self, *arguments: object) -> tuple[int, dict]:
        """As `safeconvert` here."""
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "safeconvert.cli.slot"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps([*map(str, arguments), "--json"]).encode() + b"\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            return self._process.wait(), {"reason": "no output", "predicate": {}}
        answer = json.loads(line)
        return answer["exit_code"], answer["content"] or {"reason": answer["text"], "predicate": {}}
