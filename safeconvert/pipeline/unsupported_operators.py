"""The report where no route could convert: the operators in the way, at which nodes, and why each route failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace

from safeconvert.config.options import ConvertOptions
from safeconvert.conversion.models import model_request
from safeconvert.conversion.route import RouteRun, convert_along
from safeconvert.core.formats import ModelFile
from safeconvert.core.obstacles import Obstacle
from safeconvert.core.text import first_line
from safeconvert.errors import AdapterFailure, NoRoute, NoVerdict, SafeconvertError, UnusableInput
from safeconvert.pipeline.results import Attempt
from safeconvert.registry.environments import offers
from safeconvert.registry.manifest import framework
from safeconvert.registry.routes import Route
from safeconvert.verification.source import Source
from safeconvert.workers.engine import call_engine
from safeconvert.workers.requests import CallFunction
from safeconvert.workers.run import Run

_SHOWN = 4


def obstacles(run: Run, source: Source, attempts: Sequence[Attempt]) -> tuple[Obstacle, ...]:
    """The operators (with `node`) that the failed converters named, as they stand in the source's ONNX form."""
    path = source.file.path if source.file.format == "onnx" else source.exported.path
    by_outcome = [[one.reason for one in attempts if one.outcome == outcome] for outcome in ("crashed", "skipped")]
    reasons = (
        by_outcome[0] or by_outcome[1]
    )  # a route that was skipped names what it refuses, which may be none of another's business
    if path is None or not reasons:
        return ()
    try:
        found = call_engine(run, "named_operators", "reading operators", {"path": str(path), "messages": reasons})
    except SafeconvertError:
        return ()  # the reasons of the routes are there without it
    return tuple(map(Obstacle.from_json, found))


def described(found: Sequence[Obstacle], source_format: str = "onnx") -> str:
    """The operators in words: `operator Det at node determinant`, and where to cut.

    Args:
        found: the operators.
        source_format: of the source; the names are those of its ONNX form.
    """
    words = [f"operator {one.operator} at node {one.node}" for one in found[:_SHOWN]]
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    cuts = [one.cut for one in found if one.cut]
    if not cuts:
        return ", ".join(words) + more
    flags = " ".join(f"--to-node {name}" for name in cuts[0].split(", "))
    first = "" if source_format == "onnx" else "convert to ONNX first, then "
    sized = f"the size of its output depends on the data: {first}convert the part in front of it, {flags}, and run the rest behind it"
    return f"{', '.join(words)}{more} ({sized})"


def host_code(run: Run, file: ModelFile, options: ConvertOptions) -> str:
    """What of a source looks values up in a table, which no converter has, and the flags that leave it out; "" where nothing does."""
    if file.format not in ("keras", "tf") or file.part is not None:
        return ""
    adapter = framework(file.format, run.adapters)
    request = CallFunction(adapter.folder, "host_code", {"request": model_request(file.path, options.model).to_json()})
    try:
        found = run.pool.worker("source", adapter.python).call(adapter.name, "reading layers", request)
    except (AdapterFailure, UnusableInput):
        return ""
    if not found["layers"]:
        return ""
    flags = " ".join(f"--from {name}" for name in found["begin"])
    behind = f"convert the part behind it with {flags}" if flags else "save what lies behind it as a model of its own"
    return f"{', '.join(found['layers'][:_SHOWN])} looks values up, which is host code: {behind}"


def refuse_undefined(run: Run, file: ModelFile, options: ConvertOptions, found: Sequence[Route], name: str) -> None:
    """Report what each route makes of an ONNX source that does not load, because nobody defines an operator of it.

    Returns where that is not why it does not load.

    Raises:
        NoRoute: no route converts it; the message names operators, nodes and the reason of each route.
        NoVerdict: a route does, but the source does not run, so that no target can be compared with it.
    """
    if file.format != "onnx":
        return
    try:
        answer = call_engine(run, "undefined_operators", "reading operators", {"path": str(file.path)})
    except SafeconvertError:
        return
    undefined = tuple(map(Obstacle.from_json, answer))
    if not undefined:
        return
    what = f"{file.named}: {described(undefined)}: defined neither by ONNX nor in the model, so that ONNX Runtime cannot run it"
    request = model_request(file.path, options.model)
    attempts = []
    first = RouteRun(found[0], request, None, None, name, options)
    for route in found:
        try:
            convert_along(run, replace(first, route=route))
        except (AdapterFailure, UnusableInput) as error:
            attempts.append({"route": str(route), "outcome": "crashed", "reason": first_line(str(error), 400)})
        else:
            attempts.append(
                {"route": str(route), "outcome": "no_verdict", "reason": "converted, but cannot be verified"}
            )
    if any(attempt["outcome"] == "no_verdict" for attempt in attempts):
        raise NoVerdict(f"{what}; no target can be compared with it", "express it in operators that ONNX Runtime has")
    reasons = "; ".join(f"{attempt['route']}: {attempt['reason']}" for attempt in attempts)
    raise NoRoute(
        f"{what}; no converter expresses it: {reasons}",
        "express it in standard ONNX operators first",
        attempts=attempts,
        obstacles=[one.to_json() for one in undefined],
        offers=[asdict(one) for one in offers(file.format, options.target_format, run.adapters, run.missing)],
    )
