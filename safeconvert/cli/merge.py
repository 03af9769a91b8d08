"""`safeconvert merge`: the certificates of all shards as one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from safeconvert.cli.errors import people_errors


def merge(
    certificates: Annotated[
        list[Path],
        typer.Argument(help="Certificates that verify --shard wrote.", show_default=False, metavar="CERTIFICATE…"),
    ],
    *,
    output: Path | None,
    key: Path | None,
    public_key: Path | None,
    as_json: bool,
    quiet: bool,
) -> None:
    """Merge them."""
    with people_errors(as_json):
        from safeconvert.app.merge import run_merge

        found = run_merge(certificates, output or Path("merged.certificate.json"), key, public_key)
        if as_json:
            typer.echo(json.dumps({"exit_code": int(found.exit_code), "predicate": found.predicate}))
        elif not quiet:
            typer.echo(f"{found.predicate['verdict']}  {found.predicate['reason']}\n  certificate: {found.certificate}")
        raise typer.Exit(int(found.exit_code))
