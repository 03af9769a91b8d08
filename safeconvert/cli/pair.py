"""`safeconvert verify`, `prove`, `repair` and `localize`: commands on a source and an existing conversion of it."""

from __future__ import annotations

import json
from typing import Any

import typer

from safeconvert.app.report_file import reporting
from safeconvert.cli.arguments import Source, Target
from safeconvert.cli.errors import people_errors
from safeconvert.cli.printing import end_with, live
from safeconvert.config.project_file import Project
from safeconvert.errors import ExitCode


def verify(source: Source, target: Target, *, config: Project | None, **flags: Any) -> None:
    """Compare a target with its source; nothing of either is changed."""
    with people_errors(flags["as_json"]), reporting(flags["report"], source, makes=False) as reports:
        from safeconvert.app import runs
        from safeconvert.app.profile import profiled
        from safeconvert.app.side_files import side_files
        from safeconvert.config.request import request_of, verification
        from safeconvert.core.progress import display

        request = request_of(flags, config)
        with side_files(target.name, request.path("junit")) as files, request.data() as data:
            with display(live(flags)) as shown, profiled(request.path("profile"), shown) as phases:
                outcome = runs.run_verify(verification(request, source, target, data), request.settings, phases)
            files.outcome(outcome, source)
        end_with(reports.written(outcome), flags)


def prove(source: Source, target: Target, *, config: Project | None, **flags: Any) -> None:
    """Prove a target equal to its source, or say where that ends."""
    with people_errors(flags["as_json"]):
        from safeconvert.app.proofs import run_prove
        from safeconvert.config.request import request_of, verification
        from safeconvert.core.progress import display
        from safeconvert.report import terminal

        request = request_of(flags, config)
        with request.data() as data, display(live(flags)) as phases:
            found = run_prove(verification(request, source, target, data), request.settings, phases)
        if flags["as_json"]:
            typer.echo(json.dumps({"exit_code": int(found.exit_code), "verdict": found.exit_code.name.lower(),
                                   "reason": found.reason, "proof": found.record.to_json(),
                                   "object": found.record.document}))  # fmt: skip
        elif not flags["quiet"] or found.exit_code is not ExitCode.VERIFIED:
            terminal.print_proving(found, target, flags["verbose"])
        raise typer.Exit(int(found.exit_code))


def repair(source: Source, target: Target, *, config: Project | None, repairs: bool = True, **flags: Any) -> None:
    """Localize the faults of a target, and repair them where `repairs` says so."""
    with people_errors(flags["as_json"]), reporting(flags["report"], source, makes=repairs) as reports:
        from safeconvert.app import runs
        from safeconvert.app.profile import profiled
        from safeconvert.app.side_files import side_files
        from safeconvert.config.request import conversion, request_of
        from safeconvert.core.progress import display

        if repairs and flags["output"] is None:
            flags["output"] = target.with_name(f"{target.stem}.repaired{target.suffix}")
        request = request_of({**flags, "repair": repairs}, config)
        junit, explorer = request.path("junit"), request.path("model_explorer")
        with side_files(target.name, junit, explorer, makes=repairs) as files, request.data() as data:
            options = conversion(request, source, "", data)
            with display(live(flags)) as shown, profiled(request.path("profile"), shown) as phases:
                outcome = runs.run_repair(options, target, request.settings, phases)
            unwritten = files.outcome(outcome, source)
        end_with(reports.written(outcome), flags, unwritten)
