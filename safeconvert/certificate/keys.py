"""Keys: made, kept as PEM, loaded. Ed25519 signs certificates; P-256 signs models in the form of OpenSSF model-signing."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from securesystemslib.signer import CryptoSigner, SSlibKey

from safeconvert.errors import UnusableInput

_PREFIX = "ed25519:"


def generate_key(path: Path, elliptic: bool = False) -> None:
    """Write a new private key to `path` (mode 0600) and its public key to `<path>.pub`.

    Args:
        path: where the private key goes.
        elliptic: a P-256 key, which model-signing takes, instead of an Ed25519 one.

    Raises:
        UnusableInput: one of them exists already, or cannot be written.
    """
    private = ec.generate_private_key(ec.SECP256R1()) if elliptic else Ed25519PrivateKey.generate()
    public_path = path.with_name(path.name + ".pub")
    secret = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    made: list[Path] = []
    try:
        for file, data, mode in ((path, secret, 0o600), (public_path, public, 0o644)):
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
            made.append(file)
            with os.fdopen(descriptor, "wb") as handle:
                handle.write(data)
    except OSError as error:
        for half in made:  # one key without the other is of no use
            half.unlink()
        if isinstance(error, FileExistsError):
            raise UnusableInput(f"{file}: exists already; a key is never overwritten", "name another path") from None
        raise UnusableInput(f"{file}: cannot be written: {error.strerror}") from error


def load_signer(path: Path) -> CryptoSigner:
    """A signer for a private key file. Raises UnusableInput."""
    try:
        private = serialization.load_pem_private_key(_read(path), None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise UnusableInput(f"{path}: not a private key in PEM", "make one with: safeconvert keygen PATH") from error
    if not isinstance(private, Ed25519PrivateKey):
        raise UnusableInput(f"{path}: not an Ed25519 key", "make one with: safeconvert keygen PATH")
    return CryptoSigner(private)


def load_public_key(path: Path) -> SSlibKey:
    """A public key file. Raises UnusableInput."""
    try:
        public = serialization.load_pem_public_key(_read(path))
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise UnusableInput(f"{path}: not a public key in PEM", "give the .pub file that keygen wrote") from error
    if not isinstance(public, Ed25519PublicKey):
        raise UnusableInput(f"{path}: not an Ed25519 key", "give the .pub file that keygen wrote")
    return SSlibKey.from_crypto(public)


def public_part(path: Path) -> str:
    """The public key of a private key file, as `ed25519:` and its 32 bytes in hexadecimal. Raises UnusableInput."""
    return _PREFIX + str(load_signer(path).public_key.keyval["public"])


def read_public_part(written: object) -> SSlibKey | None:
    """The public key that `public_part` wrote; None for anything else."""
    if not isinstance(written, str) or not written.startswith(_PREFIX):
        return None
    try:
        return SSlibKey.from_crypto(Ed25519PublicKey.from_public_bytes(bytes.fromhex(written.removeprefix(_PREFIX))))
    except ValueError:
        return None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnusableInput(f"{path}: cannot be read: {error.strerror}") from error
