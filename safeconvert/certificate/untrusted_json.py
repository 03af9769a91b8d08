"""Read content of unknown origin or age: whatever is missing or of another type reads as empty, never as an error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from safeconvert.core.text import printable


def mapping(value: object) -> Mapping[str, Any]:
    """The value where it is a mapping, else {}."""
    return value if isinstance(value, Mapping) else {}


def sequence(value: object) -> Sequence[Any]:
    """The value where it is a list, else ()."""
    return value if isinstance(value, list | tuple) else ()


def mappings(value: object) -> Iterator[Mapping[str, Any]]:
    """The mappings of a list."""
    return (item for item in sequence(value) if isinstance(item, Mapping))


def number(value: object) -> float | None:
    """A number, also one that is written "inf" or "nan"; else None."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def numbers(value: object) -> list[int]:
    """The whole numbers of a list."""
    return [item for item in sequence(value) if isinstance(item, int) and not isinstance(item, bool)]


def text(value: object) -> str:
    """One line to read; "-" for nothing."""
    if value is None or value == "":
        return "-"
    if isinstance(value, float):
        return f"{value:.4g}"
    return printable(str(value))
