"""TOML and JSON of unknown origin: read, or refused with a ValueError that says why, whatever stands in it."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from typing import Any

_DEEPEST = 50
"""Levels in which lists and tables lie in each other; far beyond what is written by hand, and far below where printing them fails."""


def read_toml(text: str) -> dict[str, Any]:
    """What a TOML document holds. Raises ValueError for what is none, and for one nested deeper than any that is meant."""
    return dict(_shallow(tomllib.loads, text))


def read_json(text: str | bytes) -> Any:
    """What a JSON document holds. Raises ValueError as `read_toml`."""
    return _shallow(json.loads, text)


def _shallow(parse: Any, text: str | bytes) -> Any:
    try:
        value = parse(text)
        too_deep = deeper_than(value, _DEEPEST)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if too_deep:
        raise ValueError("nested too deeply")
    return value


def deeper_than(value: object, levels: int) -> bool:
    """Whether lists and mappings lie in each other beyond a number of levels, at which printing them may fail."""
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return levels < 0 or any(deeper_than(item, levels - 1) for item in inner)
