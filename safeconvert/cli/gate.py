"""`safeconvert gate`: every model under a folder against its certificate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from safeconvert.cli.errors import people_errors
from safeconvert.errors import ExitCode


def gate(
    places: Annotated[
        list[Path], typer.Argument(help="Folders, models or certificates.", show_default=False, metavar="DIR…")
    ],
    *,
    public_key: Path | None,
    require_signature: bool,
    acknowledge: Path | None,
    junit: Path | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Check every model before it is deployed."""
    with people_errors(as_json):
        from safeconvert.app.side_files import side_files
        from safeconvert.gate.acknowledged import read_accepted
        from safeconvert.gate.find import find
        from safeconvert.gate.judge import judge
        from safeconvert.report import gate as shown

        with side_files(" ".join(map(str, places)), junit) as files:
            accepted = read_accepted(acknowledge) if acknowledge is not None else ()
            found = judge(find(places), public_key, require_signature, accepted)
            files.gate(found)
        if as_json:
            typer.echo(json.dumps(shown.gate_json(found)))
        else:
            shown.print_gate(found, quiet)
        raise typer.Exit(0 if found.ok else int(ExitCode.NOT_EQUIVALENT))
