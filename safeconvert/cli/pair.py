"""`safeconvert verify`, `repair` and `localize`: commands on a source and an existing conversion of it."""

from __future__ import annotations

from typing import Any

from safeconvert.app.report_file import reporting
from safeconvert.cli.arguments import Source, Target
from safeconvert.cli.errors import people_errors
from safeconvert.cli.printing import end_with, live
from safeconvert.config.project_file import Project


def verify(source: Source, target: Target, *, config: Project | None, **flags: Any) -> None:
    """Compare a target with its source; nothing of either is changed."""
    with people_errors(flags["as_json"]), reporting(flags["report"], source, makes=False) as reports:
        from safeconvert.app import runs
        from safeconvert.app.side_files import side_files
        from safeconvert.config.request import request_of, verification
        from safeconvert.core.progress import display

        request = request_of(flags, config)
        with side_files(target.name, request.path("junit")) as files, request.data() as data:
            with display(live(flags)) as phases:
                outcome = runs.run_verify(verification(request, source, target, data), request.settings, phases)
            files.outcome(outcome, source)
        end_with(reports.written(outcome), flags)


def repair(source: Source, target: Target, *, config: Project | None, repairs: bool = True, **flags: Any) -> None:
    """Localize the faults of a target, and repair them where `repairs` says so."""
    with people_errors(flags["as_json"]), reporting(flags["report"], source, makes=repairs) as reports:
        from safeconvert.app import runs
        from safeconvert.app.side_files import side_files
        from safeconvert.config.request import conversion, request_of
        from safeconvert.core.progress import display

        if repairs and flags["output"] is None:
            flags["output"] = target.with_name(f"{target.stem}.repaired{target.suffix}")
        request = request_of({**flags, "repair": repairs}, config)
        junit, explorer = request.path("junit"), request.path("model_explorer")
        with side_files(target.name, junit, explorer, makes=repairs) as files, request.data() as data:
            options = conversion(request, source, "", data)
            with display(live(flags)) as phases:
                outcome = runs.run_repair(options, target, request.settings, phases)
            unwritten = files.outcome(outcome, source)
        end_with(reports.written(outcome), flags, unwritten)
