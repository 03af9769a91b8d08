"""Where a certificate may be written: where nothing stands, or one of safeconvert's own; never over another file."""

from __future__ import annotations

import os
from pathlib import Path

from safeconvert.certificate.archive import is_evidence
from safeconvert.certificate.envelope import Damaged, read_envelope
from safeconvert.core.paths import evidence_path, records_path
from safeconvert.errors import UnusableInput


def require_place(flag: str, path: Path) -> None:
    """See that a certificate, and evidence and records beside it, would replace only what was written as such.

    Args:
        flag: that names the place, for the message.
        path: the certificate's.

    Raises:
        UnusableInput: something else stands there.
    """
    own = _is_certificate(path)
    _require(flag, path, own, "certificate")
    evidence = evidence_path(path)
    _require(flag, evidence, is_evidence(evidence), "evidence, which goes beside the certificate")
    _require(flag, records_path(path), own, "records of a certificate that stands there")


def _require(flag: str, path: Path, own: bool, what: str) -> None:
    if os.path.lexists(path) and not own:
        raise UnusableInput(f"{flag}: {path} is there, and is no {what}: it is not written over", "name another file")


def _is_certificate(path: Path) -> bool:
    try:
        read_envelope(path)
    except Damaged:
        return True
    except UnusableInput:
        return False
    return True
