"""Routes that cannot work, by what their converters declare, so that no converter is started for them."""

from __future__ import annotations

from pathlib import Path

from safeconvert.conversion.route import RouteRun
from safeconvert.core.obstacles import Obstacle
from safeconvert.errors import SafeconvertError
from safeconvert.pipeline.unsupported_operators import described
from safeconvert.workers.engine import call_engine
from safeconvert.workers.run import Run


def declared_obstacle(run: Run, job: RouteRun) -> str:
    """Why a route is not tried: a converter declares that it refuses operators of the graph that it would get; "" where it may take it.

    Args:
        run: the surroundings.
        job: the route; its first step gives the source's ONNX form, or the source is ONNX.
    """
    form = _onnx_form(job)
    if form is None:
        return ""
    path, position = form
    adapter = job.route.adapters[position]
    if not (adapter.refuses or adapter.constant_inputs):
        return ""
    asked = {
        "path": str(path),
        "operators": list(adapter.refuses),
        "constant_inputs": list(adapter.constant_inputs),
    }

    def find() -> str:
        try:
            answer = call_engine(run, "refused_operators", f"reading operators for {adapter.name}", asked)
        except SafeconvertError:
            return ""  # the converter will say
        found = tuple(map(Obstacle.from_json, answer))
        return f"{adapter.name} does not take {described(found)}" if found else ""

    return job.cache.refused.get((str(path), adapter.name), find)


def _onnx_form(job: RouteRun) -> tuple[Path, int] | None:
    """The ONNX file that a converter of the route would get, and which of them; None where it is not there yet, and of a route that was asked for."""
    if job.may_stay_open or job.options.route:
        return None
    if job.route.formats[:1] == ("onnx",):
        return Path(job.model.path), 0
    return None if job.first_step_done is None else (job.first_step_done, 1)
