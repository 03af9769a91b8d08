"""The routes of one conversion: which are tried, in what order, until when, and which of several is kept.

In order, until one verifies; or, where all are asked for, each of them, and the best of those that verified is kept. Best
is: fewest inputs that differ, then the smallest numeric distance (max-abs, native, on the inputs of the verdict, which are
the same for all), then the fewest steps, then the order in which they were tried.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

from safeconvert.config.options import ConvertOptions
from safeconvert.conversion.route import Candidate, Steps
from safeconvert.core.formats import ModelFile
from safeconvert.errors import NoRoute, UnusableInput
from safeconvert.pipeline.attempt import try_route
from safeconvert.pipeline.results import Attempt
from safeconvert.registry.environments import offers
from safeconvert.registry.routes import Route, parse_route, routes, worth_trying
from safeconvert.verification.source import Source
from safeconvert.workers.run import Context

ALL = "all"


@dataclass(frozen=True)
class Begun:
    """A walk of the first route that began while the source was still run, and when."""

    walk: Future[Candidate]
    at: float


def ways(context: Context, file: ModelFile, options: ConvertOptions) -> tuple[Route, ...]:
    """The routes to try, in order.

    Raises:
        UnusableInput: a route that leads elsewhere or needs an adapter that is not installed, a number of routes that is
            none, or arguments without the route that takes them.
        NoRoute: no adapter that can be tried leads there.
    """
    limit = _limit(options.routes, context.settings.limits.routes)
    if options.route:
        missing = {adapter.name: where for adapter, where in context.missing}
        for name in (part.strip() for part in options.route.split(",")):
            if name in missing:
                raise UnusableInput(f"route '{options.route}': {name}: {missing[name].reason}", missing[name].command)
        way = parse_route(options.route, file.format, options.target_format, context.adapters)
        refused = [name for name in options.arguments if name not in way.adapters[-1].arguments]
        if refused:
            raise UnusableInput(f"{way.adapters[-1].name}: takes no argument {', '.join(refused)}")
        return (way,)
    if options.arguments:
        raise UnusableInput("arguments for a converter need the route that ends in it")
    found = routes(file.format, options.target_format, context.adapters)
    if not found:
        offered = offers(file.format, options.target_format, context.adapters, context.missing)
        advice = "; ".join(offer.command for offer in offered)
        raise NoRoute(f"{file.path}: no converter leads from {file.format} to {options.target_format}", advice)
    return found if limit is None else worth_trying(found, limit)


def walk_ways(
    context: Context,
    threads: ThreadPoolExecutor,
    found: Sequence[Route],
    source: Source,
    name: str,
    options: ConvertOptions,
    begun: Begun | None,
    steps: Steps,
) -> list[Attempt]:
    """Try routes; the attempts in the order in which they were made, but the one that is kept last.

    Args:
        context, threads, source, options: of the run.
        found: the routes.
        name: file name of the target.
        begun: walk of the first route, where it began before.
        steps: of the source's routes, those of that walk among them.
    """
    attempts: list[Attempt] = []
    for number, way in enumerate(found):
        early = begun if number == 0 else None
        start = early.at if early is not None else time.monotonic()
        walking = early.walk if early is not None else None
        attempt = try_route(context, threads, way, source, name, options, walking, steps)
        attempts.append(replace(attempt, seconds=round(time.monotonic() - start, 3)))
        if attempt.outcome == "verified" and options.routes != ALL:
            break
    return best_last(attempts)


def best_last(attempts: Sequence[Attempt]) -> list[Attempt]:
    """The attempts, the best of those that verified moved to the end; as they are where none did."""
    verified = [attempt for attempt in attempts if attempt.outcome == "verified"]
    if not verified:
        return list(attempts)
    best = min(verified, key=_badness)
    return [*(attempt for attempt in attempts if attempt is not best), best]


def _badness(attempt: Attempt) -> tuple[int, float, int]:
    """What is smaller is better; `min` keeps the first of equals."""
    assert attempt.verification is not None
    figures = attempt.verification.native
    distance = figures.max_abs if math.isfinite(figures.max_abs) else math.inf
    return figures.disagreements, distance, len(attempt.route.adapters)


def _limit(asked: str, configured: int) -> int | None:
    """How many routes of real converters are tried at most; None for all routes."""
    if not asked:
        return configured
    if asked == ALL:
        return None
    if not (asked.isascii() and asked.isdecimal() and int(asked) > 0):
        raise UnusableInput(f"--routes {asked}: neither {ALL} nor a number", "--routes all, or --routes 3")
    return int(asked)
