"""The index of a batch: one page that loads nothing, lists every job, and links to its page.

A reader narrows it down by verdict, by formats, by the kind of a fault, and by words of its name.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from safeconvert.certificate.faults import read_faults
from safeconvert.certificate.untrusted_json import mapping, text
from safeconvert.core.faults import kind_name
from safeconvert.core.formats import FORMATS, TITLES
from safeconvert.core.text import printable
from safeconvert.errors import ExitCode, UnusableInput
from safeconvert.report.page_templates import FOLDER, templates

_TONES = {
    ExitCode.VERIFIED: "good",
    ExitCode.NOT_EQUIVALENT: "bad",
    ExitCode.UNUSABLE_INPUT: "warn",
    ExitCode.NO_ROUTE: "bad",
    ExitCode.NO_VERDICT: "warn",
}


@dataclass(frozen=True)
class JobReport:
    """One job of a batch as its reports show it.

    Attributes:
        name: of the job.
        command: the pair, `convert`, `verify` or `repair`.
        code: what it adds to the batch's exit code.
        verdict: in a word; of a job that has none its state.
        reason: in a line.
        answer: the JSON object of `--json`; {} where there is none.
        page: its HTML page, where one was written.
        seconds: wall time.
        peak: memory, bytes.
        attempt: how many times it was run.
    """

    name: str
    command: str
    code: ExitCode
    verdict: str
    reason: str
    answer: Mapping[str, Any]
    page: Path | None
    seconds: float
    peak: int
    attempt: int

    @property
    def predicate(self) -> Mapping[str, Any]:
        """The certificate's content; {} where there is none."""
        return mapping(self.answer.get("predicate"))


def write_index(path: Path, jobs: Iterable[JobReport]) -> None:
    """Write the page, whole or not at all; one answer is in memory at a time. Raises UnusableInput where it cannot be written."""
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.partial")
    try:
        partial.write_text(render(jobs, path.parent), encoding="utf-8")
        os.replace(partial, path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise UnusableInput(f"{path}: cannot be written: {error.strerror}", "name other --results") from error


def render(jobs: Iterable[JobReport], folder: Path) -> str:
    """The page as HTML; links are relative to the folder that it lies in."""
    css, script = (Markup((FOLDER / name).read_text(encoding="utf-8")) for name in ("page.css", "batch.js"))
    rows = [_row(job, folder) for job in jobs]
    filters = [
        ("verdict", sorted({row["verdict"] for row in rows})),
        ("source", [TITLES[one] for one in FORMATS if any(TITLES[one] == row["source"] for row in rows)]),
        ("target", [TITLES[one] for one in FORMATS if any(TITLES[one] == row["target"] for row in rows)]),
        ("fault", sorted({kind for row in rows for kind in row["kinds"]})),
    ]
    verified = sum(row["verified"] for row in rows)
    template = templates().get_template("batch.html.jinja")
    return template.render(rows=rows, filters=filters, verified=verified, css=css, js=script)


def _row(job: JobReport, folder: Path) -> dict[str, Any]:
    source, target = (_format(job, side) for side in ("source", "target"))
    faults = read_faults(job.predicate)
    return {
        "name": printable(job.name),
        "verified": job.code is ExitCode.VERIFIED,
        "verdict": printable(job.verdict),
        "tone": _TONES[job.code],
        "reason": printable(job.reason),
        "source": source,
        "target": target,
        "kinds": sorted({_kind(fault.kind) for fault in faults}),
        "faults": [f"{_kind(fault.kind)}: {printable(fault.target_name)} ({fault.state})" for fault in faults],
        "link": _link(job.page, folder) if job.page is not None else "",
        "seconds": f"{job.seconds:.1f}",
        "peak": f"{job.peak / (1 << 30):.2f}",
        "attempt": job.attempt,
    }


def _kind(named: str) -> str:
    return kind_name(named) or printable(named)


def _format(job: JobReport, side: str) -> str:
    """What people call the format of a side; "-" where it is not known."""
    named = text(mapping(job.predicate.get(side)).get("format"))
    if named == "-" and "2" in job.command:
        named = job.command.partition("2")[0 if side == "source" else 2]
    return TITLES.get(named, named)


def _link(page: Path, folder: Path) -> str:
    """A relative address, which names no scheme whatever the file is called."""
    return "./" + quote(Path(os.path.relpath(page, folder)).as_posix())
