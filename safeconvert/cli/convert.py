"""`safeconvert convert` and the 20 pairs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from safeconvert.app.report_file import reporting
from safeconvert.cli.arguments import Source
from safeconvert.cli.errors import people_errors
from safeconvert.cli.printing import end_with, live
from safeconvert.config.project_file import Project


def convert(source: Source, *, to: str, config: Project | None, source_format: str = "", **flags: Any) -> None:
    """Convert along the known routes; `source_format` is what the source must be, "" takes what its content says."""
    with people_errors(flags["as_json"]), reporting(flags["report"], source, makes=True) as reports:
        from safeconvert.app import runs
        from safeconvert.app.profile import profiled
        from safeconvert.app.side_files import side_files
        from safeconvert.config.request import conversion, request_of
        from safeconvert.core.progress import display

        request = request_of(flags, config)
        junit, explorer = request.path("junit"), request.path("model_explorer")
        with side_files(source.name, junit, explorer, makes=True) as files, request.data() as data:
            options = replace(conversion(request, source, to, data), source_format=source_format)
            with display(live(flags)) as shown, profiled(request.path("profile"), shown) as phases:
                outcome = runs.run_convert(options, request.settings, phases)
            unwritten = files.outcome(outcome, source)
        end_with(reports.written(outcome), flags, unwritten)
