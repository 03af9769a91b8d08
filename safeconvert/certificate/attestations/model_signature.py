"""An OpenSSF model-signing signature of the target, which `model_signing verify key` accepts.

Signed with an elliptic-curve key (P-256), the kind that model-signing takes; it covers every file of a SavedModel folder.
Written by the library model-signing, which comes with `pip install safeconvert[attest]`.
"""

from __future__ import annotations

from pathlib import Path

from safeconvert.certificate.attestations.certified import Certified, require_verified
from safeconvert.certificate.attestations.library import needs_library
from safeconvert.errors import UnusableInput


def sign_model(certified: Certified, key: Path, signature: Path) -> None:
    """Sign the target and write the signature file.

    Args:
        certified: a verified target.
        key: PEM file of an elliptic-curve private key.
        signature: where the signature goes; outside of a target that is a folder.

    Raises:
        UnusableInput: model-signing is not installed, the key is none that it takes, or the signature's place is in the target.
        NotEquivalent: the target is not verified.
    """
    require_verified(certified, "a signature")
    if signature.absolute().is_relative_to(certified.target.absolute()):
        raise UnusableInput(f"{signature}: lies in the folder that it signs", "name a path outside of the target")
    with needs_library("model-signing"):
        from model_signing import signing
    try:
        signing.Config().use_elliptic_key_signer(private_key=key).sign(certified.target, signature)
    except OSError as error:
        raise UnusableInput(f"{error.filename or signature}: {error.strerror}") from error
    except (ValueError, TypeError, AttributeError) as error:  # AttributeError: its own check of a key of another kind
        raise UnusableInput(
            f"{key}: not a key that model-signing takes: {error}", "make one with: safeconvert keygen PATH --ec"
        ) from error
