"""Numbers and lists of a certificate as the page prints and sorts them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from safeconvert.certificate.untrusted_json import mapping, number, text

ROWS = 200
"""Rows of a table at most; the page states how many are left out."""


@dataclass(frozen=True)
class Shown:
    """A number: as it is printed, and as it is sorted."""

    text: str
    sort: str


def figure(value: object, style: str = ".3g") -> Shown:
    """A number of a certificate; "-" for none, which sorts last."""
    found = number(value)
    if found is None or math.isnan(found):
        return Shown("-", "inf")
    return Shown("∞" if math.isinf(found) else format(found, style), repr(found))


def sentence(words: str) -> str:
    """The text beginning with a capital letter."""
    return words[:1].upper() + words[1:]


def share(value: object) -> Shown:
    """A share as per cent."""
    found = number(value)
    return figure(value) if found is None or not math.isfinite(found) else Shown(f"{found:.1%}", repr(found))


def items(value: object) -> str:
    """The entries of a mapping in the order of their names; "-" where there are none."""
    return ", ".join(f"{text(key)} {text(item)}" for key, item in sorted(mapping(value).items())) or "-"


def listed(positions: tuple[int, ...]) -> str:
    """Positions that count from 0 as the page counts them, from 1."""
    return ", ".join(str(position + 1) for position in positions)
