"""`safeconvert check`, `show` and `keygen`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from safeconvert.cli.arguments import Certificate
from safeconvert.cli.errors import people_errors
from safeconvert.errors import ExitCode


def check(
    certificate: Certificate, *, public_key: Path | None, target_only: bool, proof: bool, as_json: bool, quiet: bool
) -> None:
    """Hash again what a certificate names, and verify its proof where that is asked for."""
    with people_errors(as_json):
        from safeconvert.certificate.check import check as check_certificate
        from safeconvert.report import terminal

        report = check_certificate(certificate, public_key, target_only=target_only)
        if proof:
            from safeconvert.app.proofs import with_proof
            from safeconvert.config.settings import load_settings

            report = with_proof(report, certificate, public_key, load_settings())
        if as_json:
            typer.echo(json.dumps(terminal.check_json(report)))
        elif not quiet or not report.ok:
            terminal.print_check(report, certificate)
        raise typer.Exit(0 if report.ok else int(ExitCode.NOT_EQUIVALENT))


def show(
    certificate: Certificate,
    *,
    public_key: Path | None,
    junit: Path | None,
    model_explorer: Path | None,
    as_json: bool,
) -> None:
    """Print a certificate, or write what other tools read."""
    with people_errors(as_json):
        from safeconvert.certificate.check import read_certificate
        from safeconvert.report import terminal

        content = read_certificate(certificate, public_key)
        if junit is not None or model_explorer is not None:
            from safeconvert.app.side_files import write_from

            write_from(certificate, content, junit, model_explorer)
        if as_json:
            typer.echo(json.dumps(content, sort_keys=True))
        else:
            terminal.print_certificate(content)


def keygen(
    path: Annotated[Path, typer.Argument(help="Path of the private key; the public one goes to PATH.pub.")],
    *,
    elliptic: bool,
) -> None:
    """Make a key pair."""
    with people_errors(False):
        from safeconvert.certificate.keys import generate_key

        generate_key(path, elliptic)
        typer.echo(f"private key: {path}\npublic key:  {path}.pub")
