"""Routes: the converters that lead from one format to another, in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from safeconvert.errors import UnusableInput
from safeconvert.registry.manifest import LAST_RESORT, Adapter, find


@dataclass(frozen=True)
class Route:
    """The ordered converters from source to target, with the formats in between."""

    adapters: tuple[Adapter, ...]
    formats: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The adapters' names."""
        return tuple(adapter.name for adapter in self.adapters)

    @property
    def last_resort(self) -> bool:
        """Whether one of them is no real converter."""
        return any(step.rank >= LAST_RESORT for adapter in self.adapters for step in adapter.steps)

    def __str__(self) -> str:
        return " → ".join(self.names) or "as given"


def routes(source: str, target: str, known: Sequence[Adapter], variant: str = "", size: int = 0) -> tuple[Route, ...]:
    """Every route from one format to another that visits no format twice, from a variant of the source's that its first step takes.

    Fewest steps first, then lowest rank for a source of so many bytes; those with a last resort are behind all others.
    """
    found: list[tuple[bool, int, int, tuple[str, ...], Route]] = []

    def extend(formats: tuple[str, ...], chain: tuple[Adapter, ...], rank: int) -> None:
        if formats[-1] == target:
            route = Route(chain, formats)
            found.append((rank >= LAST_RESORT, len(chain), rank, route.names, route))
            return
        for adapter in known:
            for step in adapter.steps:
                taken = bool(chain) or variant not in step.excludes
                if step.source == formats[-1] and step.target not in formats and taken:
                    extend((*formats, step.target), (*chain, adapter), rank + step.ranked(size))

    extend((source,), (), 0)
    return tuple(route for *_, route in sorted(found, key=lambda item: item[:4]))


def worth_trying(found: Sequence[Route], limit: int) -> tuple[Route, ...]:
    """The first `limit` routes of real converters, and behind them two with a last resort (an exporter may fail)."""
    real = [route for route in found if not route.last_resort]
    return (*real[:limit], *[route for route in found if route.last_resort][:2])


def parse_route(text: str, source: str, target: str, known: Sequence[Adapter]) -> Route:
    """A route given by its adapters' names, `a,b,c`. Raises UnusableInput where it does not lead to the target."""
    chain = tuple(find(name.strip(), known) for name in text.split(","))
    paths: list[tuple[str, ...]] = [(source,)]  # the formats in between, where an adapter has several steps
    for position, adapter in enumerate(chain):
        last = position == len(chain) - 1
        onward = [
            (*path, step.target)
            for path in paths
            for step in adapter.steps
            if step.source == path[-1] and step.target not in path and (step.target == target) == last
        ]
        if not onward:
            reached = " or ".join(sorted({path[-1] for path in paths}))
            raise UnusableInput(
                f"route '{text}': {adapter.name} does not convert {reached} to {target if last else 'what follows'}",
                f"routes there are: {'; '.join(str(route) for route in routes(source, target, known)[:6])}",
            )
        paths = onward
    return Route(chain, paths[0])
