"""`safeconvert pack`: faults as issues for a converter's tracker."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from safeconvert.cli.errors import people_errors
from safeconvert.cli.printing import live
from safeconvert.config.project_file import Project


def pack(
    certificate: Annotated[
        Path, typer.Argument(help="A .certificate.json, its evidence beside it.", show_default=False)
    ],
    *,
    output: Path | None,
    every: bool,
    config: Project | None,
    **flags: Any,
) -> None:
    """Write the folders of a certificate's faults."""
    with people_errors(flags["as_json"]):
        from safeconvert.config.request import request_of
        from safeconvert.core.progress import display
        from safeconvert.report import pack as shown
        from safeconvert.reproduce.pack import pack as pack_faults

        settings = request_of(flags, config).settings
        with display(live(flags)) as phases:
            packed = pack_faults(certificate, output, every, settings, phases)
        if flags["as_json"]:
            typer.echo(json.dumps(shown.pack_json(packed)))
        else:
            shown.print_pack(packed, every)
