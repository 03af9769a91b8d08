"""Text for people: one line of many, printable, and what a word was perhaps meant to be."""

from __future__ import annotations

import difflib
from pathlib import Path


def first_line(text: str, limit: int = 240) -> str:
    """The first line that says something, cut to `limit` characters."""
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return line if len(line) <= limit else line[: limit - 1] + "…"


def suggest(word: str, known: list[str]) -> str:
    """What an unknown word was perhaps meant to be."""
    near = difflib.get_close_matches(word, known, n=1)
    return f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"


def printable(text: str) -> str:
    """The text with everything escaped that is not printed: line ends, terminal control sequences, lone surrogates."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def shown(path: Path) -> str:
    """A path as a person would type it: relative where it lies below the working directory."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
