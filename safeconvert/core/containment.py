"""How much containment of workers is asked for, and how much held. Standard library only."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Mode(StrEnum):
    """How much containment is asked for."""

    REQUIRE = "require"
    """All of it, or nothing runs."""
    AUTO = "auto"
    """What the kernel gives."""
    OFF = "off"
    """None."""


class Level(StrEnum):
    """How much containment held."""

    FULL = "full"
    """Files, network, processes, resources and environment."""
    PARTIAL = "partial"
    """Some of these."""
    OFF = "off"
    """None was asked for."""


def weakest(levels: Iterable[Level]) -> Level:
    """The level of several workers together; OFF where there are none."""
    found = set(levels)
    return next((level for level in (Level.OFF, Level.PARTIAL, Level.FULL) if level in found), Level.OFF)
