"""The line that says what containment held, on the terminal and on the page."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from safeconvert.report.certificate import render
from safeconvert.report.containment import contained
from safeconvert.report.page import render as page

_FULL = {"level": "full", "landlock": 7, "seccomp": True, "limits": True, "environment": True}
_WEAK = {"level": "partial", "landlock": 0, "seccomp": True, "limits": True, "environment": True}


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (None, "-"),
        (
            {"mode": "require", "level": "full", "lacking": [], "workers": {"target": _FULL, "source": _FULL}},
            "full (--containment require); source, target by Landlock 7, seccomp, limits, environment",
        ),
        (
            {"mode": "auto", "level": "partial", "lacking": ["no Landlock: files are not guarded"], "workers": {"b": _FULL, "a": _WEAK}},
            "partial (--containment auto); no Landlock: files are not guarded; a by seccomp, limits, environment; "
            "b by Landlock 7, seccomp, limits, environment",
        ),
        ({"mode": "off", "level": "off", "lacking": ["switched off"], "workers": {}}, "off (--containment off); switched off"),
        ({"mode": ["\x1b[31m"], "level": {}, "lacking": 3, "workers": ["x"]}, None),
    ],
    ids=["older certificate", "full", "partial", "off", "hostile"],
)  # fmt: skip
def test_what_held_is_one_line_in_both(found: Any, says: str | None) -> None:
    predicate = {"verdict": "verified", "containment": found}
    line = contained(predicate)
    assert line.isprintable() and (says is None or line == says)
    file = io.StringIO()
    render(predicate, Console(file=file, width=500))
    assert f"containment: {line}\n" in file.getvalue()
    if says is not None:
        assert f"<dt>containment</dt><dd>{line}</dd>" in page(predicate, None, [], "a.certificate.json")
