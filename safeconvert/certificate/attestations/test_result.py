"""The verdict as an in-toto `test-result` statement, which policy engines read.

Predicate: https://github.com/in-toto/attestation/blob/main/spec/predicates/test-result.md, version 0.1. The subject is the
target, the tests are the comparisons that the certificate holds figures of.
"""

from __future__ import annotations

from pathlib import Path

from safeconvert.certificate.attestations.certified import Certified
from safeconvert.certificate.envelope import sealed
from safeconvert.certificate.statement import in_toto_statement
from safeconvert.certificate.untrusted_json import mapping

PREDICATE_TYPE = "https://in-toto.io/attestation/test-result/v0.1"


def result_statement(certified: Certified, key: Path | None) -> str:
    """A DSSE envelope with the statement, signed where a private key is given, as JSON text.

    Raises:
        UnusableInput: the key cannot be used, or the certificate names no target.
    """
    name, sha256 = certified.digest("target")
    source, source_sha256 = certified.digest("source")
    pairs = {
        pair.replace("_", " "): mapping(figures).get("equal") is True
        for pair, figures in sorted(mapping(certified.predicate.get("verification")).items())
        if isinstance(figures, dict)
    }
    predicate = {
        "result": "PASSED" if certified.verified else "FAILED",
        "configuration": [{"name": source, "digest": {"sha256": source_sha256}}],
        "passedTests": [pair for pair, equal in pairs.items() if equal],
        "failedTests": [pair for pair, equal in pairs.items() if not equal],
    }
    return sealed(in_toto_statement(name, sha256, PREDICATE_TYPE, predicate), key)
