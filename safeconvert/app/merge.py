"""`merge`: the certificates of all shards as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from safeconvert.certificate.envelope import Damaged, NotSigned, WrongSignature, write_certificate
from safeconvert.certificate.keys import public_part
from safeconvert.certificate.merge import merged, read_shard
from safeconvert.certificate.places import require_place
from safeconvert.certificate.statement import build_statement
from safeconvert.errors import ExitCode, NotEquivalent


@dataclass(frozen=True)
class Merge:
    """What a merge came to: the content of its certificate, and its exit code."""

    certificate: Path
    predicate: dict[str, Any]
    exit_code: ExitCode


def run_merge(paths: Sequence[Path], certificate: Path, key: Path | None, public_key: Path | None) -> Merge:
    """Write the certificate of all shards.

    Raises:
        UnusableInput: a shard is missing or of another set, or a file cannot be read or written.
        NotEquivalent: a certificate is damaged, or not signed by the key.
    """
    require_place("--output", certificate.absolute())
    try:
        shards = [read_shard(path, public_key) for path in paths]
    except (Damaged, NotSigned, WrongSignature) as error:
        raise NotEquivalent(
            f"{', '.join(map(str, paths))}: {error}", "take the certificates from where they were made"
        ) from error
    content = merged(shards, certificate.absolute().parent)
    content["made"] = datetime.now(UTC).isoformat(timespec="seconds")
    if key is not None:
        content["signer"] = public_part(key)
    subject = Path(content["target"]["path"]).name
    write_certificate(certificate, build_statement(subject, content["target"]["sha256"], content), key)
    code = ExitCode.VERIFIED if content["verdict"] == "verified" else ExitCode.NOT_EQUIVALENT
    return Merge(certificate, content, code)
