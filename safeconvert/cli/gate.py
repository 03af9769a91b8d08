"""`safeconvert gate`: every model under a folder against its certificate."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from safeconvert.cli.errors import people_errors
from safeconvert.config.project_file import Project
from safeconvert.errors import ExitCode


def gate(
    paths: Annotated[
        list[Path], typer.Argument(help="Folders, models or certificates.", show_default=False, metavar="DIR…")
    ],
    *,
    public_key: list[Path] | None,
    require_signature: bool,
    acknowledge: Path | None,
    junit: Path | None,
    config: Project | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Check every model before it is deployed."""
    with people_errors(as_json):
        from safeconvert.app.side_files import side_files
        from safeconvert.config.settings import project_settings
        from safeconvert.gate.acknowledged import read_accepted
        from safeconvert.gate.find import find
        from safeconvert.gate.judge import judge
        from safeconvert.gate.policy import signers_of
        from safeconvert.report import gate as shown

        with side_files(" ".join(map(str, paths)), junit) as files:
            accepted = read_accepted(acknowledge) if acknowledge is not None else ()
            policy = project_settings(config).gate
            policy = replace(
                policy,
                signature=policy.signature or require_signature,
                signers=signers_of(public_key) if public_key else policy.signers,
            )
            found = judge(find(paths), policy, accepted)
            files.gate(found)
        if as_json:
            typer.echo(json.dumps(shown.gate_json(found)))
        else:
            shown.print_gate(found, quiet, config.path if config is not None and "gate" in config.table else None)
        raise typer.Exit(0 if found.ok else int(ExitCode.NOT_EQUIVALENT))
