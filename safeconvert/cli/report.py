"""`safeconvert report`: the page of a certificate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from safeconvert.cli.errors import people_errors


def report(
    certificate: Annotated[Path, typer.Argument(help="A .certificate.json.", show_default=False)],
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="The page; beside the certificate by default.")
    ] = None,
    public_key: Annotated[Path | None, typer.Option("--public-key", help="Ed25519 public key to verify with.")] = None,
) -> None:
    """Write one self-contained HTML page from a certificate and the evidence beside it.

    Example: safeconvert report model.keras.certificate.json -o report.html
    """
    with people_errors(False):
        from safeconvert.report.write import write_report

        typer.echo(f"report: {write_report(certificate, output, public_key)}")
