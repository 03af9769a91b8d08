"""The documentation in the terminal."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from safeconvert.cli.topics import find_topic, topics
from safeconvert.core.faults import FaultKind
from safeconvert.errors import UnusableInput
from tests.command import ROOT, safeconvert

KNOWN = topics()


@pytest.mark.parametrize(
    "asked",
    [
        *FaultKind, *map(str, range(5)), "wb", "exit codes", "verified", "not_equivalent", "Not equivalent", "accepted", "no_gain",
        "invalid", "repaired", "deployment", "suspicion", "tie", "batch", "order", "torch2keras", "localize", "settings",
        "certificate", "architecture", "faults", "precedence",
    ],
)  # fmt: skip
def test_there_is_a_page_on(asked: str) -> None:
    assert len(find_topic(asked, KNOWN).text.splitlines()) > 2


@pytest.mark.parametrize(
    ("line", "heading"),
    [
        ("  obligation: input x: target takes the source's dimensions in the order [0, 2, 3, 1]", "## `order`"),
        ("obligation: input image: target takes batch 1 only; source takes any", "## `batch`"),
        ("target takes size 224 in dimension 1 only; source takes any", "## `size`"),
        ("obligation: preprocess for the target as for the source: unit (scale 0.004)", "## `preprocessing"),
        ("target stores real values as int8: real = 0.1 * (stored - 3)", "## `storage`"),
        ("exporter fault (target ONNX only): differs", "## The `exporter fault`"),
        ("repaired in ONNX only", "### `repaired in ONNX only`"),
    ],
)
def test_a_line_of_output_finds_its_section(line: str, heading: str) -> None:
    assert find_topic(line, KNOWN).text.startswith(heading)


def test_a_section_holds_what_is_below_it_and_no_more(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text(
        "# Page\n\n<!-- untested: why -->\n```toml\n# `fenced`\n```\n\n## `one`\n\n### `two`: `also two`\n\ntext\n\n## three\n"
    )
    found = {topic.name: topic.text for topic in topics(tmp_path)}
    assert set(found) == {"page", "one", "two", "also two"}
    assert found["one"] == "## `one`\n\n### `two`: `also two`\n\ntext\n" and found["two"].startswith("### `two`")
    assert "untested" not in found["page"] and "# `fenced`" in found["page"]


def test_a_topic_that_there_is_not_is_an_error_with_near_ones() -> None:
    with pytest.raises(UnusableInput) as raised:
        find_topic("not_equivelant", KNOWN)
    assert "did you mean not_equivalent" in raised.value.advice or "not equivalent" in raised.value.advice
    called = safeconvert("explain", "WQ")
    assert called.code == 2 and "WQ: no such topic" in called.err and not called.out


def test_piped_it_is_the_page_itself_and_in_a_terminal_it_is_set() -> None:
    page = (ROOT / "docs" / "faults" / "wb.md").read_text(encoding="utf-8")
    assert safeconvert("explain", "WB").out == page
    ours, theirs = pty.openpty()
    subprocess.run(
        [sys.executable, "-m", "safeconvert.cli", "explain", "exit", "codes"],
        stdout=theirs, check=True, env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "80"},
    )  # fmt: skip
    os.close(theirs)
    shown = os.read(ours, 65536).decode()
    assert "\x1b[" in shown and "exit codes" in shown and "# `exit codes`" not in shown


def test_without_a_topic_it_lists_all() -> None:
    listed = safeconvert("explain")
    assert listed.code == 0
    for topic in KNOWN:
        assert topic.name in listed.out
