"""`safeconvert attest`: a certificate in the forms that other tools read."""

from __future__ import annotations

from pathlib import Path

import typer

from safeconvert.cli.arguments import Certificate
from safeconvert.cli.errors import people_errors


def attest(
    certificate: Certificate,
    *,
    sigstore_bundle: Path | None,
    test_result: Path | None,
    ml_bom: Path | None,
    model_signature: Path | None,
    key: Path | None,
    ec_key: Path | None,
    public_key: Path | None,
) -> None:
    """Hash the target again and write what was asked for."""
    with people_errors(False):
        from safeconvert.app.attestations import Attestations, write_attestations

        wanted = Attestations(sigstore_bundle, test_result, ml_bom, model_signature)
        for name, path in write_attestations(certificate, wanted, key, ec_key, public_key):
            typer.echo(f"{name}: {path}")
