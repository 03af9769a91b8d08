"""The routes that a run tried, as lines for a person."""

from __future__ import annotations

from collections.abc import Sequence

from safeconvert.core.faults import RouteOutcome
from safeconvert.report.outcome import Tried


def route_lines(attempts: Sequence[Tried], known: str = "") -> list[str]:
    """A line for each route and repair of its target; routes that failed for one reason are in one line.

    Args:
        attempts: in the order in which they were made.
        known: what the reader was told already; a reason that stands in it is left out.
    """
    lines: list[tuple[str, list[str]]] = []
    seen: set[str] = set()
    for one in attempts:
        name = f"{one.route}, repaired" if one.route in seen else one.route
        seen.add(one.route)
        told = one.outcome == RouteOutcome.VERIFIED or one.reason in known
        what = f"{one.outcome.replace('_', ' ')}" + ("" if told or not one.reason else f": {one.reason}")
        if lines and lines[-1][0] == what and one.outcome != RouteOutcome.VERIFIED:
            lines[-1][1].append(name)
        else:
            lines.append((what, [name]))
    return [f"route{'s' if len(names) > 1 else ''} {'; '.join(names)}: {what}" for what, names in lines]
