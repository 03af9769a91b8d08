"""The signed certificate as a Sigstore bundle (https://docs.sigstore.dev/about/bundle, media type v0.3).

The DSSE envelope is the certificate's own, without the `integrity` member that only safeconvert reads. The key is named by
its hint, not held: who verifies has the public key already, as `cosign verify-blob-attestation --key` wants it.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from safeconvert.certificate.attestations.certified import Certified
from safeconvert.certificate.envelope import read_envelope
from safeconvert.errors import UnusableInput

MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"


def sigstore_bundle(certified: Certified) -> str:
    """The bundle as JSON text.

    Raises:
        UnusableInput: the certificate bears no signature, or more than the one that a bundle holds.
    """
    envelope = read_envelope(certified.path)
    if len(envelope.signatures) != 1:
        raise UnusableInput(
            f"{certified.path}: bears {len(envelope.signatures)} signatures; a Sigstore bundle holds exactly one",
            "sign the certificate with one key: --key KEY on the conversion",
        )
    [(keyid, signature)] = envelope.signatures.items()
    bundle: dict[str, Any] = {
        "mediaType": MEDIA_TYPE,
        "verificationMaterial": {"publicKey": {"hint": keyid}, "tlogEntries": []},
        "dsseEnvelope": {
            "payload": base64.b64encode(envelope.payload).decode(),
            "payloadType": envelope.payload_type,
            "signatures": [{"keyid": keyid, "sig": base64.b64encode(bytes.fromhex(signature.signature)).decode()}],
        },
    }
    return json.dumps(bundle, sort_keys=True, indent=1) + "\n"
