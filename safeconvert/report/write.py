"""Read a certificate and its evidence, and write the page."""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from safeconvert.certificate.archive import Evidence, NoEvidence, read
from safeconvert.certificate.check import read_certificate
from safeconvert.certificate.statement import NewerSchema
from safeconvert.certify.predicate import SCHEMA
from safeconvert.core.paths import PAGE_MARK, report_path, require_own
from safeconvert.errors import UnusableInput
from safeconvert.report.page import render

_ENDINGS = (".html", ".htm")


def write_report(certificate: Path, output: Path | None = None, public_key: Path | None = None) -> Path:
    """The page's path, written whole or not at all.

    What keeps the page from being complete (no evidence, or of another digest; another schema) is stated on it.

    Raises:
        UnusableInput: no certificate, or the page cannot be written or has a name that models may have. Of one with a newer schema the page says just that.
        NotEquivalent: the certificate is damaged, or not signed by the key.
    """
    if output is not None and not output.name.endswith(_ENDINGS):
        raise UnusableInput(f"--output {output}: a page ends in {_ENDINGS[0]}", f"name it {output.stem}{_ENDINGS[0]}")
    path = output or report_path(certificate)
    try:
        predicate = read_certificate(certificate, public_key)
    except NewerSchema as error:
        reason = f"{certificate.name}: {error.message.rpartition(': ')[2]}; {error.advice}."
        write_page(path, {"verdict": "unreadable", "reason": reason}, None, [], certificate.name)
        raise
    notices = []
    if predicate.get("schema") != SCHEMA:
        notices.append(
            f"The certificate has schema {predicate.get('schema')}, and this safeconvert writes {SCHEMA}: "
            "what it does not know is left out."
        )
    evidence: Evidence | None = None
    try:
        evidence = read(certificate, predicate.get("evidence"))
    except NoEvidence as error:
        notices.append(str(error))
    return write_page(path, predicate, evidence, notices, certificate.name)


def write_page(
    path: Path, predicate: Mapping[str, Any], evidence: Evidence | None, notices: Sequence[str], certificate: str
) -> Path:
    """Write a page, whole or not at all; see `render` for the arguments.

    Raises:
        UnusableInput: it cannot be written, or something else than a page stands there.
    """
    require_own("report", path, PAGE_MARK)
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.partial")
    try:
        partial.write_text(render(predicate, evidence, notices, certificate), encoding="utf-8")
        os.replace(partial, path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise UnusableInput(f"{path}: cannot be written: {error.strerror}", "name another path") from error
    return path
