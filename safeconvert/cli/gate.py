"""`safeconvert gate`: every model under a folder against its certificate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from safeconvert.cli.errors import people_errors
from safeconvert.cli.options import JsonOption, JunitOption, QuietOption
from safeconvert.errors import ExitCode


def gate(
    places: Annotated[
        list[Path], typer.Argument(help="Folders, models or certificates.", show_default=False, metavar="DIR…")
    ],
    public_key: Annotated[
        Path | None, typer.Option("--public-key", help="Ed25519 public key that every certificate is signed with.")
    ] = None,
    require_signature: Annotated[
        bool, typer.Option("--require-signature", help="Refuse certificates without a signature, by whatever key.")
    ] = False,
    acknowledge: Annotated[
        Path | None,
        typer.Option("--acknowledge", help="TOML file of the obligations that the deployment meets.", metavar="FILE"),
    ] = None,
    junit: JunitOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Check every model under a folder against its certificate, before it is deployed. Nothing is run.

    A model passes that is the file its certificate names, verified, whose source is unchanged where it is here, and whose
    obligations are all listed in the --acknowledge file as [[accepted]] model = "…", obligation = "…".

    Exit code 0: all pass; 1: one does not; 2: nothing to check, or a key or file that cannot be used.

    Example: safeconvert gate models/ --public-key release.pub --acknowledge obligations.toml
    """
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
