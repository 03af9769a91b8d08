"""Text of unknown origin, made fit for a terminal."""

from __future__ import annotations


def printable(text: str) -> str:
    """The text with everything escaped that is not printed: line ends, terminal control sequences, lone surrogates."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
