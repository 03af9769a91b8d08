"""A certificate that still describes the files it names, read once for every attestation of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safeconvert.certificate.check import check, read_certificate
from safeconvert.certificate.untrusted_json import mapping, text
from safeconvert.errors import NotEquivalent, UnusableInput


@dataclass(frozen=True)
class Certified:
    """A certificate and the target beside it.

    Attributes:
        path: the certificate.
        target: the model file or folder that it is about.
        predicate: what it says.
    """

    path: Path
    target: Path
    predicate: Mapping[str, Any]

    @property
    def verified(self) -> bool:
        """Whether its verdict is `verified`."""
        return self.predicate.get("verdict") == "verified"

    @property
    def verdict(self) -> str:
        """The verdict, as one line of text."""
        return text(self.predicate.get("verdict"))

    def digest(self, role: str) -> tuple[str, str]:
        """File name and hex SHA-256 of `source` or `target`. Raises UnusableInput where the certificate has none."""
        entry = mapping(self.predicate.get(role))
        path, sha256 = entry.get("path"), entry.get("sha256")
        if not isinstance(path, str) or not isinstance(sha256, str):
            raise UnusableInput(f"{self.path}: names no {role} with a digest")
        return Path(path).name, sha256


def read_certified(path: Path, public_key: Path | None) -> Certified:
    """Read a certificate and hash its target again, so that no attestation is about another file.

    Args:
        path: the certificate.
        public_key: it must have been signed with this key; None takes what is there.

    Raises:
        UnusableInput: no certificate, or a key that cannot be used.
        NotEquivalent: damaged, not signed by the key, or its target is not the file that was certified.
    """
    predicate = read_certificate(path, public_key)
    entry = mapping(predicate.get("target"))
    certified = Certified(path, path.absolute().parent / str(entry.get("path", "")), predicate)
    certified.digest("target")
    changed = [
        item for item in check(path, public_key, target_only=True).items if not item.ok and item.name != "certificate"
    ]
    if changed:
        raise NotEquivalent(
            f"{changed[0].path}: {changed[0].status.value}; nothing is attested of it", "convert and verify it again"
        )
    return certified


def require_verified(certified: Certified, what: str) -> None:
    """Raise NotEquivalent where a certificate's verdict is another than `verified`: a signed wrong model is a trap."""
    if not certified.verified:
        raise NotEquivalent(
            f"{certified.path}: its verdict is {certified.verdict}; {what} is made of verified targets only",
            "repair the target, or convert it by another route",
        )
