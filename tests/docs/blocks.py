"""What a page of the documentation asks to be typed, written to a file, or run: its fenced blocks.

A `console` block holds commands behind `$ ` (a line that ends in a backslash goes on), each followed by what it prints. A
block of another language whose first line is a comment with a file's name is that file. A `python` block without one is run.
`<!-- untested: REASON -->` in front of a console block leaves it out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

LANGUAGES = {"console", "python", "toml", "text", "json", ""}
"""Languages that a page may use; only `console` and `python` are run, and only they may hold commands."""

_FENCE = re.compile(r"^```(\w*)\s*$")
_UNTESTED = re.compile(r"^<!-- untested: (.+) -->$")
_FILE = re.compile(r"^# ([\w./-]+\.\w+)$")


@dataclass(frozen=True)
class Command:
    """A command of a console block, with the lines that it is said to print; `line` counts from 1."""

    text: str
    expected: tuple[str, ...]
    line: int


@dataclass(frozen=True)
class Block:
    """One fenced block.

    Attributes:
        language: as the fence says it.
        lines: what stands between the fences.
        line: of the first of them, from 1.
        untested: why the block is left out; "" where it is run.
    """

    language: str
    lines: tuple[str, ...]
    line: int
    untested: str = ""

    @property
    def file(self) -> str:
        """The file that the block is, by its first line; "" where it is none."""
        named = _FILE.match(self.lines[0]) if self.lines and self.language != "console" else None
        return named[1] if named else ""

    @property
    def commands(self) -> tuple[Command, ...]:
        """The commands of a console block, in order."""
        starts = [number for number, text in enumerate(self.lines) if text.startswith("$ ")]
        found = []
        for start, stop in zip(starts, [*starts[1:], len(self.lines)], strict=True):
            length = 1
            while self.lines[start + length - 1].endswith("\\"):
                length += 1
            text = "\n".join(self.lines[start : start + length]).removeprefix("$ ")
            found.append(Command(text, self.lines[start + length : stop], self.line + start))
        return tuple(found)


def blocks(page: Path) -> tuple[Block, ...]:
    """The fenced blocks of a page, in order. Raises ValueError for a fence that is not closed or of another language."""
    found: list[Block] = []
    lines = page.read_text(encoding="utf-8").splitlines()
    start, language, untested = None, "", ""
    for number, text in enumerate(lines):
        if start is not None:
            if text == "```":
                found.append(Block(language, tuple(lines[start:number]), start + 1, untested))
                start, untested = None, ""
            continue
        if reason := _UNTESTED.match(text):
            untested = reason[1]
        elif text.lstrip().startswith("```"):
            fence = _FENCE.match(text)
            if fence is None or fence[1] not in LANGUAGES:
                raise ValueError(f"{page.name}:{number + 1}: {text} opens no block of a language known here")
            start, language = number + 1, fence[1]
    if start is not None:
        raise ValueError(f"{page.name}:{start}: a block that is not closed")
    return tuple(found)
