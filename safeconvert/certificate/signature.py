"""Who signed a certificate. A signature that is claimed is verified, also where no key was given to verify it with.

A signed certificate names its signer's public key in what is signed. Verified with that key, the signature shows that the
certificate is whole since somebody with that key signed it; only a key that the reader brings shows who that is.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey

from safeconvert.certificate.envelope import read_envelope
from safeconvert.certificate.keys import load_public_key, read_public_part


class Signed(StrEnum):
    """What is known of a signature."""

    UNSIGNED = "unsigned"
    BY_GIVEN_KEY = "valid, by a key that was given"
    BY_OTHER_KEY = "valid, by a key that was not given"
    UNVERIFIABLE = "claimed, and cannot be verified without the signer's public key"
    WRONG = "not valid"


@dataclass(frozen=True)
class Signature:
    """The signature of a certificate, and the file of the key that verified it, where one was given."""

    state: Signed
    key: Path | None = None


def verify_signature(certificate: Path, keys: Sequence[Path] = ()) -> Signature:
    """Verify the signature of a certificate whose bytes are whole.

    Args:
        certificate: its path.
        keys: public keys, one of which must have signed it; without any, the key that the certificate names counts.

    Raises:
        UnusableInput: a key or the certificate cannot be used.
        Damaged: no envelope.
    """
    loaded = [(path, load_public_key(path)) for path in keys]
    envelope = read_envelope(certificate)
    named = _signer(envelope)
    if not envelope.signatures:
        return Signature(Signed.UNSIGNED if named is None else Signed.WRONG)  # a signature was taken off
    for path, key in loaded:
        if _verifies(envelope, key):
            return Signature(Signed.BY_GIVEN_KEY, path)
    if loaded:
        return Signature(Signed.WRONG)
    own = read_public_part(named)
    if own is None:
        return Signature(Signed.UNVERIFIABLE)
    return Signature(Signed.BY_OTHER_KEY if _verifies(envelope, own) else Signed.WRONG)


def _verifies(envelope: Envelope, key: SSlibKey) -> bool:
    try:
        envelope.verify([key], 1)
    except VerificationError:
        return False
    return True


def _signer(envelope: Envelope) -> object:
    """What the statement says of its signer; None where it says nothing."""
    try:
        return json.loads(envelope.payload)["predicate"].get("signer")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
