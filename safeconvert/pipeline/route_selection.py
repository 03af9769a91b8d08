"""The routes of one conversion: which are tried, in what order, until when, and which of several is kept.

In order, until one verifies; or, where all are requested, each of them, and the best of those that verified is kept. Best
is: fewest inputs that differ, then the smallest numeric distance (max-abs, native, on the inputs of the verdict, which are
the same for all), then the fewest steps, then the order in which they were tried.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace

from safeconvert.config.options import ConvertOptions
from safeconvert.conversion.route import Candidate, RouteRun
from safeconvert.core.files import size_of
from safeconvert.core.formats import ModelFile
from safeconvert.errors import NoRoute, UnusableInput
from safeconvert.pipeline.attempt import try_route
from safeconvert.pipeline.declared import declared_obstacle
from safeconvert.pipeline.results import Attempt, Compared, Skipped
from safeconvert.registry.environments import offers
from safeconvert.registry.routes import Route, parse_route, routes, worth_trying
from safeconvert.verification.source import Source
from safeconvert.verification.types import Verification
from safeconvert.workers.run import Run

ALL = "all"


@dataclass(frozen=True)
class PrefetchedRoute:
    """A conversion along the first route that began while the source was still run, and when."""

    conversion: Future[Candidate]
    at: float


def select_routes(run: Run, file: ModelFile, options: ConvertOptions) -> tuple[Route, ...]:
    """The routes to try, in order.

    Raises:
        UnusableInput: a route that leads elsewhere or needs an adapter that is not installed, a number of routes that is
            none, or arguments without the route that takes them.
        NoRoute: no adapter that can be tried leads there.
    """
    limit = _limit(options.routes, run.settings.limits.routes)
    if options.route:
        missing = {adapter.name: where for adapter, where in run.missing}
        for name in (part.strip() for part in options.route.split(",")):
            if name in missing:
                raise UnusableInput(f"route '{options.route}': {name}: {missing[name].reason}", missing[name].command)
        route = parse_route(options.route, file.format, options.target_format, run.adapters)
        refused = [name for name in options.arguments if name not in route.adapters[-1].arguments]
        if refused:
            raise UnusableInput(f"{route.adapters[-1].name}: takes no argument {', '.join(refused)}")
        return (route,)
    if options.arguments:
        raise UnusableInput("arguments for a converter need the route that ends in it")
    found = routes(file.format, options.target_format, run.adapters, file.variant, size_of(file.path))
    if not found:
        offered = offers(file.format, options.target_format, run.adapters, run.missing)
        advice = "; ".join(offer.command for offer in offered)
        raise NoRoute(f"{file.named}: no converter leads from {file.format} to {options.target_format}", advice)
    return found if limit is None else worth_trying(found, limit)


def try_routes(
    run: Run, found: Sequence[Route], source: Source, first: RouteRun, prefetched: PrefetchedRoute | None
) -> list[Attempt]:
    """Try routes; the attempts in the order in which they were made, but the one that is kept last.

    Args:
        run: the surroundings.
        found: the routes.
        source: evaluated.
        first: the first route's conversion; the others differ in the route, and share its cache.
        prefetched: the conversion along the first route, where it began before.
    """
    options = first.options
    attempts: list[Attempt] = []
    for number, route in enumerate(found):
        early = prefetched if number == 0 else None
        start = early.at if early is not None else time.monotonic()
        job = replace(
            first, route=route, model=source.request, signature=source.session.signature, exported=source.exported
        )
        obstacle = declared_obstacle(run, job) if early is None else ""
        if obstacle:
            attempts.append(Attempt(route, Skipped(obstacle)))
            continue
        result = try_route(run, job, source, early.conversion if early is not None else None)
        attempts.append(Attempt(route, result, seconds=round(time.monotonic() - start, 3)))
        if attempts[-1].verified and options.routes != ALL:
            break
        source.exporter.with_exporter()
    return best_last(attempts)


def best_last(attempts: Sequence[Attempt]) -> list[Attempt]:
    """The attempts, the best of those that verified moved to the end; as they are where none did."""
    verified = [
        (_badness(one.route, one.result.verification), one)
        for one in attempts
        if isinstance(one.result, Compared) and one.verified
    ]
    if not verified:
        return list(attempts)
    _, best = min(verified, key=lambda each: each[0])
    return [*(attempt for attempt in attempts if attempt is not best), best]


def _badness(route: Route, verification: Verification) -> tuple[int, float, int]:
    """What is smaller is better; `min` keeps the first of equals."""
    figures = verification.native
    distance = figures.max_abs if math.isfinite(figures.max_abs) else math.inf
    return figures.disagreements, distance, len(route.adapters)


def _limit(requested: str, configured: int) -> int | None:
    """How many routes of real converters are tried at most; None for all routes."""
    if not requested:
        return configured
    if requested == ALL:
        return None
    if not (requested.isascii() and requested.isdecimal() and int(requested) > 0):
        raise UnusableInput(f"--routes {requested}: neither {ALL} nor a number", "--routes all, or --routes 3")
    return int(requested)
