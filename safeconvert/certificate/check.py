"""Is what a certificate names still what was certified?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any

from safeconvert.certificate.digest import digest
from safeconvert.certificate.envelope import Damaged, NotSigned, WrongSignature, read_payload
from safeconvert.certificate.merge import merged, read_shard
from safeconvert.certificate.signature import Signed, verify_signature
from safeconvert.certificate.statement import parse_statement
from safeconvert.certificate.untrusted_json import mapping
from safeconvert.errors import NotEquivalent, UnusableInput


class Status(Enum):
    """What the check found of one item; the value is what a person reads."""

    UNCHANGED = "unchanged"
    CHANGED = "changed since it was certified"
    MISSING = "missing"
    NOT_NEEDED = "not here; only a report needs it"
    UNREADABLE = "cannot be read"
    OUTSIDE = "an absolute path, which certificates never hold"
    VERIFIED = "verdict: verified"
    NOT_VERIFIED = "its verdict is not 'verified'"
    INCONSISTENT = "its subject is not the target that it describes"
    SIGNED = "signature valid"
    SIGNED_BY_OTHER = "signature valid, by a key that you did not give: it does not say who signed (--public-key does)"
    UNSIGNED = "UNSIGNED: anyone could have written this certificate"
    NOT_SIGNED = "not signed"
    WRONG_SIGNATURE = "not signed by this key"
    BAD_SIGNATURE = "its signature is not valid"
    UNVERIFIABLE = "its signature cannot be verified without the signer's key: give --public-key"
    DAMAGED = "damaged"
    PROVEN = "proof holds"
    NOT_PROVEN = "there is no proof"
    REFUSED = "proof refused"


_GOOD = {
    Status.UNCHANGED,
    Status.VERIFIED,
    Status.SIGNED,
    Status.SIGNED_BY_OTHER,
    Status.UNSIGNED,
    Status.NOT_NEEDED,
    Status.PROVEN,
}
_SIGNATURES = {
    Signed.UNSIGNED: Status.UNSIGNED,
    Signed.BY_GIVEN_KEY: Status.SIGNED,
    Signed.BY_OTHER_KEY: Status.SIGNED_BY_OTHER,
    Signed.UNVERIFIABLE: Status.UNVERIFIABLE,
    Signed.WRONG: Status.BAD_SIGNATURE,
}


@dataclass(frozen=True)
class Item:
    """One thing checked; `detail` says more of its status."""

    name: str
    path: Path
    status: Status
    detail: str = ""

    @property
    def ok(self) -> bool:
        """Whether it is as certified."""
        return self.status in _GOOD


@dataclass(frozen=True)
class CheckReport:
    """All things checked; `ok` where every one is as certified."""

    items: tuple[Item, ...]

    @property
    def ok(self) -> bool:
        """Whether all is as certified."""
        return bool(self.items) and all(item.ok for item in self.items)


def check(path: Path, public_key: Path | None = None, target_only: bool = False) -> CheckReport:
    """Verify a certificate's bytes and its signature, where it has one, and re-hash the files that it names.

    Args:
        path: the certificate.
        public_key: it must have been signed with this key; None verifies with the key that the certificate names.
        target_only: do not ask for the source.

    Raises:
        UnusableInput: the file is no certificate, or the key cannot be used.
    """
    try:
        payload = read_payload(path, public_key)
    except Damaged:
        return CheckReport((Item("certificate", path, Status.DAMAGED),))
    except NotSigned:
        return CheckReport((Item("certificate", path, Status.NOT_SIGNED),))
    except WrongSignature:
        return CheckReport((Item("certificate", path, Status.WRONG_SIGNATURE),))
    predicate = parse_statement(payload, str(path))
    verified = predicate.get("verdict") == "verified"
    items = [Item("certificate", path, Status.VERIFIED if verified else Status.NOT_VERIFIED)]
    try:
        state = verify_signature(path, [public_key] if public_key is not None else []).state
    except Damaged:
        return CheckReport((Item("certificate", path, Status.DAMAGED),))
    items.append(Item("signature", public_key or path, _SIGNATURES[state]))
    target = predicate.get("target")
    named = [subject["sha256"] for subject in predicate["subject"]]
    if not isinstance(target, Mapping) or named != [target.get("sha256")]:
        items.append(Item("certificate", path, Status.INCONSISTENT))
    for role in ("target",) if target_only else ("target", "source"):
        entry = predicate.get(role)
        items.append(_check_file(role, path, entry))
        beside = entry.get("files", []) if isinstance(entry, Mapping) else []
        for part in beside if isinstance(beside, list) else [beside]:
            items.append(_check_file(f"{role} data", path, part))
    if predicate.get("evidence") is not None:
        item = _check_file("evidence", path, predicate["evidence"])
        absent = item.status is Status.MISSING and item.path != path
        items.append(replace(item, status=Status.NOT_NEEDED) if absent else item)
    shard = predicate.get("shard")
    if isinstance(shard, Mapping):
        items.append(_check_file("records", path, shard.get("records")))
    if "shards" in predicate:
        items += _check_merge(path, predicate, public_key)
    return CheckReport(tuple(items))


def _check_merge(path: Path, predicate: Mapping[str, Any], public_key: Path | None) -> list[Item]:
    """The certificates of the shards, and whether merging them anew gives what the certificate says."""
    entries = predicate["shards"]
    if not isinstance(entries, list) or not entries:
        return [Item("shards", path, Status.INCONSISTENT, "it lists none")]
    items = [_check_file("shard", path, entry) for entry in entries]
    if not all(item.ok for item in items):
        return items
    try:
        found = merged([read_shard(item.path, public_key) for item in items], path.absolute().parent)
    except (UnusableInput, Damaged, NotSigned, WrongSignature) as error:
        return [*items, Item("merge", path, Status.UNREADABLE, str(error))]
    same = all(
        found[key] == predicate.get(key)
        for key in ("verdict", "verification", "inputs", "shards", "comparator", "contract", "containment")
    )
    same = same and all(
        found[role]["sha256"] == mapping(predicate.get(role)).get("sha256") for role in ("source", "target")
    )
    return [
        *items,
        Item(
            "merge",
            path,
            Status.UNCHANGED if same else Status.INCONSISTENT,
            "" if same else "merged anew, it says something else",
        ),
    ]


def read_certificate(path: Path, public_key: Path | None = None) -> dict[str, Any]:
    """A certificate's predicate, after its bytes (and its signature, with a key) are verified.

    Raises:
        UnusableInput: no certificate.
        NotEquivalent: damaged, or not signed by the key.
    """
    try:
        predicate = parse_statement(read_payload(path, public_key), str(path))
        if public_key is None and verify_signature(path).state is Signed.WRONG:
            raise NotEquivalent(f"{path}: its signature is not valid", "take the certificate from where it was made")
        return predicate
    except Damaged as error:
        raise NotEquivalent(f"{path}: damaged: {error}", "take the certificate again from where it was made") from error
    except (NotSigned, WrongSignature) as error:
        raise NotEquivalent(f"{path}: not signed by {public_key}") from error


def _check_file(role: str, certificate: Path, entry: object) -> Item:
    """Re-hash one file, found relative to the certificate's folder.

    A source may lie anywhere, so the path may lead upwards; an absolute one was not written by safeconvert. All that a
    forged path can learn is whether a plain file has the digest that the forger knows already.
    """
    relative = entry.get("path") if isinstance(entry, Mapping) else None
    if not isinstance(entry, Mapping) or not isinstance(relative, str) or not relative:
        return Item(role, certificate, Status.MISSING)
    path = certificate.absolute().parent / relative
    if Path(relative).is_absolute():
        return Item(role, path, Status.OUTSIDE)
    try:
        path.stat()
        found = digest(path)
    except (FileNotFoundError, NotADirectoryError, ValueError):  # ValueError: a name that no file can have
        return Item(role, path, Status.MISSING)
    except (OSError, UnusableInput):
        return Item(role, path, Status.UNREADABLE)
    same = (found.sha256, found.kind) == (entry.get("sha256"), entry.get("kind"))
    return Item(role, path, Status.UNCHANGED if same else Status.CHANGED)
