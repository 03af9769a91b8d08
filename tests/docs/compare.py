"""Whether a command prints what its page says: word by word, and numbers nearly.

`…` in a line stands for any text, `…` on a line of its own for any number of lines. Everything else has to be there.
Numbers may differ as they do from machine to machine, whose processors train the demo's net differently: whole ones from 20 on by
5 %, smaller ones not at all; others fourfold, or where both are below 2e-4, which is rounding. Digests are equal to each other.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[-+]?\d+)?(?![\w])|(?<=_)\d+(?![\w.])")
_DIGEST = re.compile(r"\b[0-9a-f]{12,64}\b")
_ROUNDING, _FOLD = 2e-4, 4.0


def same(expected: Sequence[str], printed: Sequence[str]) -> bool:
    """Whether the printed lines are the expected ones."""
    wanted = tuple(line.rstrip() for line in expected)
    given = tuple(line.rstrip() for line in printed)

    @cache
    def follows(i: int, j: int) -> bool:
        if i == len(wanted):
            return j == len(given)
        if wanted[i].strip() == "…":
            return follows(i + 1, j) or (j < len(given) and follows(i, j + 1))
        return j < len(given) and same_line(wanted[i], given[j]) and follows(i + 1, j + 1)

    return follows(0, 0)


def same_line(expected: str, printed: str) -> bool:
    """Whether one line is the other, numbers nearly."""
    expected, printed = (_DIGEST.sub("DIGEST", line) for line in (expected, printed))
    expected, printed = map(_narrow, (expected, printed))
    pattern, numbers, end = "", [], 0
    for found in _NUMBER.finditer(expected):
        pattern += _literal(expected[end : found.start()]) + r"(-?\d+(?:\.\d+)?(?:e[-+]?\d+)?)"
        numbers.append(found[0])
        end = found.end()
    matched = re.fullmatch(pattern + _literal(expected[end:]), printed)
    return matched is not None and all(map(near, numbers, matched.groups()))


def near(expected: str, printed: str) -> bool:
    """Whether two numbers are as good as equal."""
    one, two = float(expected), float(printed)
    if expected.lstrip("-").isdigit() and printed.lstrip("-").isdigit():
        return one == two or (min(abs(one), abs(two)) >= 20 and abs(one - two) <= 0.05 * abs(one))
    smaller, larger = sorted((abs(one), abs(two)))
    return larger < _ROUNDING or (one * two > 0 and larger <= _FOLD * smaller) or one == two


def _narrow(line: str) -> str:
    """A line with one space between words: how wide a column is goes with what stands in it. Its indent is kept."""
    return line[: len(line) - len(line.lstrip())] + " ".join(line.split())


def _literal(text: str) -> str:
    """A pattern of text in which `…` stands for anything."""
    return ".*?".join(map(re.escape, text.split("…")))
