"""Every command of the documentation does what its page says."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import ROOT
from tests.docs.blocks import blocks
from tests.docs.compare import near, same, same_line
from tests.docs.run import Shell, open_shell, run_page, served

PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
EXEMPT = {
    "make demo": "installs every framework into a new environment; the command that it calls is run on each page",
    "make test": "runs these tests",
    "make docs": "installs what builds the site",
    ". .venv/bin/activate": "the programs are on the path already",
}
"""Commands that are not run, and why."""
OFTEN = ("README.md", "gate.md", "settings.md")
"""Pages whose commands `make test` runs too."""
PLAIN = ("README.md", "index.md", "settings.md")
"""Pages whose every command is a process of its own from the start."""


@pytest.fixture(scope="session")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    with served(tmp_path_factory.mktemp("served")) as opened:
        yield opened


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A shell whose every command starts as a user's does."""
    return open_shell(tmp_path_factory.mktemp("programs"))


@pytest.mark.converters
@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, id=str(page.relative_to(ROOT)), marks=[] if page.name in OFTEN else [pytest.mark.slow])
        for page in PAGES
    ],
)
def test_a_page_s_commands_print_what_it_says(page: Path, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """Those of some pages as a user starts them, the others' from templates that are there already."""
    shell = request.getfixturevalue("plain" if page.name in PLAIN else "shell")
    begun = time.monotonic()
    wrong = []
    for ran in run_page(page, tmp_path, shell, frozenset(EXEMPT)):
        if ran.problem:
            wrong.append(
                f"{page.name}:{ran.command.line}: $ {ran.command.text}\n{ran.problem}; the page:\n  "
                + "\n  ".join(ran.command.expected) + "\nreally:\n  " + "\n  ".join(ran.printed)
            )  # fmt: skip
    assert not wrong, "\n\n".join(wrong)
    print(f"{page.name}: {time.monotonic() - begun:.1f} s")


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_commands_stand_in_blocks_that_are_run(page: Path) -> None:
    for block in blocks(page):
        typed = [line for line in block.lines if line.startswith(("$ ", "safeconvert ", "pip ", "make "))]
        if block.language == "console":
            assert block.lines[0].startswith("$ "), f"{page.name}:{block.line}: a console block begins with a command"
        else:
            assert not typed, f"{page.name}:{block.line}: {typed[0]} belongs in a console block"


@pytest.mark.parametrize(
    ("expected", "printed", "equal"),
    [
        ("max-abs 4.17e-06", "max-abs 8e-07", True),
        ("max-abs 4.17e-06", "max-abs 8e-03", False),
        ("differs on 147 of 180", "differs on 145 of 180", True),
        ("differs on 147 of 180", "differs on 14 of 180", False),
        ("differs on 0", "differs on 1", False),
        ("opset 17", "opset 18", False),
        ("below 1.65% with", "below 25.9% with", False),
        ("fault WB: a ↔ Conv__34", "fault LH: a ↔ Conv__34", False),
        ("sha256 …", "sha256 0123", True),
        ("log: …/x.log", "log: /tmp/x.log kept", False),
    ],
)
def test_lines_are_the_same_word_by_word_and_numbers_nearly(expected: str, printed: str, equal: bool) -> None:
    assert same_line(expected, printed) is equal


def test_lines_may_be_left_out_only_where_it_says_so() -> None:
    assert same(("a", "…", "d"), ("a", "b", "c", "d")) and same(("a", "…"), ("a",))
    assert not same(("a", "d"), ("a", "b", "d")) and not same(("a",), ("a", "b")) and not same(("a", "b"), ("a",))
    assert near("1", "1") and not near("1", "2") and not near("0", "1e-3")
