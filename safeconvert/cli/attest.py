"""`safeconvert attest`: a certificate in the forms that other tools read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from safeconvert.cli.errors import people_errors

_FILE = "FILE"


def attest(
    certificate: Annotated[Path, typer.Argument(help="A .certificate.json.", show_default=False)],
    sigstore_bundle: Annotated[
        Path | None,
        typer.Option("--sigstore-bundle", help="The signed certificate as a Sigstore bundle.", metavar=_FILE),
    ] = None,
    test_result: Annotated[
        Path | None,
        typer.Option("--test-result", help="The verdict as an in-toto test-result statement.", metavar=_FILE),
    ] = None,
    ml_bom: Annotated[
        Path | None, typer.Option("--ml-bom", help="Target, source and tools as a CycloneDX ML-BOM.", metavar=_FILE)
    ] = None,
    model_signature: Annotated[
        Path | None,
        typer.Option("--model-signature", help="OpenSSF model-signing signature of the target.", metavar=_FILE),
    ] = None,
    key: Annotated[Path | None, typer.Option("--key", help="Ed25519 private key that signs the test result.")] = None,
    ec_key: Annotated[
        Path | None, typer.Option("--ec-key", help="P-256 private key that signs the model (keygen --ec).")
    ] = None,
    public_key: Annotated[
        Path | None, typer.Option("--public-key", help="The certificate must be signed with this Ed25519 key.")
    ] = None,
) -> None:
    """Write a certificate in other standards' forms, after hashing its target again.

    Example: safeconvert attest model.keras.certificate.json --test-result result.json --ml-bom bom.json
    """
    with people_errors(False):
        from safeconvert.app.attestations import Attestations, write_attestations

        wanted = Attestations(sigstore_bundle, test_result, ml_bom, model_signature)
        for name, path in write_attestations(certificate, wanted, key, ec_key, public_key):
            typer.echo(f"{name}: {path}")
