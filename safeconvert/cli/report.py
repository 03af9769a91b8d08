"""`safeconvert report`: the page of a certificate."""

from __future__ import annotations

from pathlib import Path

import typer

from safeconvert.cli.arguments import Certificate
from safeconvert.cli.errors import people_errors


def report(certificate: Certificate, *, output: Path | None, public_key: Path | None) -> None:
    """Write the page."""
    with people_errors(False):
        from safeconvert.report.write import write_report

        typer.echo(f"report: {write_report(certificate, output, public_key)}")
