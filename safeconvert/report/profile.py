"""A run's spans as a file that trace viewers open: Chrome's trace event format (JSON object form, complete events `X`).

Viewers: https://ui.perfetto.dev, chrome://tracing, speedscope. Times are microseconds since the first span began.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from safeconvert.core.text import printable
from safeconvert.core.trace import HOST, Span
from safeconvert.errors import UnusableInput

MARK = b'"otherData": {"tool": "safeconvert"}'
"""Stands at the beginning of each such file."""


def write_profile(path: Path, spans: Sequence[Span]) -> None:
    """Write the file. Raises UnusableInput where it cannot be."""
    try:
        path.write_text(json.dumps(events(spans)), encoding="utf-8")
    except OSError as error:
        raise UnusableInput(f"{path}: cannot be written: {error.strerror}", "name another with --profile") from error


def events(spans: Sequence[Span]) -> dict[str, Any]:
    """The JSON object: the processes' names, then the spans by their beginning."""
    origin = min((span.start for span in spans), default=0.0)
    processes = {span.pid: span.process for span in spans}
    named = [
        {"ph": "M", "name": "process_name", "pid": pid, "tid": 0, "args": {"name": printable(process)}}
        for pid, process in processes.items()
    ]
    ordered = [
        {"ph": "M", "name": "process_sort_index", "pid": pid, "tid": 0, "args": {"sort_index": int(process != HOST)}}
        for pid, process in processes.items()
    ]
    return {
        "otherData": {"tool": "safeconvert"},
        "traceEvents": [*named, *ordered, *(_event(span, origin) for span in spans)],
        "displayTimeUnit": "ms",
    }


def _event(span: Span, origin: float) -> dict[str, Any]:
    return {
        "ph": "X",
        "name": printable(span.name),
        "cat": span.category.value,
        "pid": span.pid,
        "tid": span.thread,
        "ts": round((span.start - origin) * 1e6, 1),
        "dur": round((span.end - span.start) * 1e6, 1),
        "args": {"cpu_seconds": round(span.cpu, 4)} if span.cpu else {},
    }
