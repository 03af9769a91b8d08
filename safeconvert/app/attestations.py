"""`attest`: which attestations of a certificate are written, and where."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from pathlib import Path

from safeconvert.certificate.attestations.certified import Certified, read_certified
from safeconvert.core.files import require_ending, write_text
from safeconvert.core.paths import require_own
from safeconvert.errors import UnusableInput


@dataclass(frozen=True)
class Attestations:
    """Where each attestation goes; None leaves it out."""

    sigstore_bundle: Path | None = None
    test_result: Path | None = None
    ml_bom: Path | None = None
    model_signature: Path | None = None


def write_attestations(
    certificate: Path, wanted: Attestations, key: Path | None, ec_key: Path | None, public_key: Path | None
) -> list[tuple[str, Path]]:
    """Write what is wanted of a certificate; the name of each standard with its file.

    Args:
        certificate: what is attested.
        wanted: the files.
        key: Ed25519 private key that signs the test result; None leaves it unsigned.
        ec_key: P-256 private key that signs the model.
        public_key: the certificate must have been signed with it.

    Raises:
        UnusableInput: nothing is wanted, a key is missing or of no use, a library is not installed, a file cannot be written.
        NotEquivalent: the target is not what was certified, or not verified where only a verified one is signed.
    """
    if not any(astuple(wanted)):
        raise UnusableInput(
            "attest: no form named", "give --sigstore-bundle, --test-result, --ml-bom or --model-signature"
        )
    for flag, path, ending, mark in (
        ("--sigstore-bundle", wanted.sigstore_bundle, ".json", b'"mediaType"'),
        ("--test-result", wanted.test_result, ".json", b'"payload"'),
        ("--ml-bom", wanted.ml_bom, ".json", b'"bomFormat"'),
        ("--model-signature", wanted.model_signature, ".sig", b'"mediaType"'),
    ):
        if path is not None:
            require_ending(flag, path, ending)
            require_own(flag, path, mark)
    if wanted.model_signature is not None and ec_key is None:
        raise UnusableInput("--model-signature needs --ec-key", "make one with: safeconvert keygen PATH --ec")
    certified = read_certified(certificate, public_key)
    texts = _texts(certified, wanted, key)
    for _, path, content in texts:
        write_text(path, content)
    written = [(name, path) for name, path, _ in texts]
    if wanted.model_signature is not None and ec_key is not None:
        from safeconvert.certificate.attestations.model_signature import sign_model

        sign_model(certified, ec_key, wanted.model_signature)
        written.append(("OpenSSF model signature", wanted.model_signature))
    return written


def _texts(certified: Certified, wanted: Attestations, key: Path | None) -> list[tuple[str, Path, str]]:
    """All texts are made before the first is written: a refusal leaves no half of what was wanted."""
    texts: list[tuple[str, Path, str]] = []
    if wanted.sigstore_bundle is not None:
        from safeconvert.certificate.attestations.sigstore_bundle import sigstore_bundle

        texts.append(("Sigstore bundle", wanted.sigstore_bundle, sigstore_bundle(certified)))
    if wanted.test_result is not None:
        from safeconvert.certificate.attestations.test_result import result_statement

        texts.append(("in-toto test result", wanted.test_result, result_statement(certified, key)))
    if wanted.ml_bom is not None:
        from safeconvert.certificate.attestations.ml_bom import ml_bom

        texts.append(("CycloneDX ML-BOM", wanted.ml_bom, ml_bom(certified)))
    return texts
