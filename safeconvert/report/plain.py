"""Text of unknown origin, made fit for a terminal."""

from __future__ import annotations

from pathlib import Path


def printable(text: str) -> str:
    """The text with everything escaped that is not printed: line ends, terminal control sequences, lone surrogates."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def shown(path: Path) -> str:
    """A path as a person would type it: relative where it lies below the working directory."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
