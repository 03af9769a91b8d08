"""The in-toto Statement v1 that a certificate holds (https://in-toto.io/Statement/v1)."""

from __future__ import annotations

import json
from typing import Any

from google.protobuf import json_format
from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor
from in_toto_attestation.v1.statement import Statement

from safeconvert.core.documents import deeper_than
from safeconvert.errors import UnusableInput

PREDICATE_TYPE = "https://safeconvert.dev/conversion/v1"
SCHEMA = 1
_DEEPEST = 50


def build_statement(subject: str, sha256: str, predicate: dict[str, Any]) -> bytes:
    """Serialise the statement about one target.

    Args:
        subject: file name of the target.
        sha256: its digest.
        predicate: JSON-able content; numbers must be finite.

    Returns:
        Canonical JSON: equal arguments give equal bytes. Numbers stay what they are, integers integers: the protobuf
        form, whose numbers are all doubles, is only asked whether the statement is valid.

    Raises:
        ValueError: a number is not finite.
    """
    return in_toto_statement(subject, sha256, PREDICATE_TYPE, predicate)


def in_toto_statement(subject: str, sha256: str, kind: str, predicate: dict[str, Any]) -> bytes:
    """A statement with a predicate of any type (`kind`, a URI), as `build_statement` serialises ours."""
    json.dumps(predicate, allow_nan=False)
    descriptor = ResourceDescriptor(name=subject, digest={"sha256": sha256}).pb
    statement = Statement([descriptor], kind, predicate)
    statement.validate()
    members = json_format.MessageToDict(statement.pb) | {"predicate": predicate}
    return json.dumps(members, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


class NewerSchema(UnusableInput):
    """A certificate that a newer safeconvert wrote."""


def parse_statement(payload: bytes, name: str) -> dict[str, Any]:
    """The predicate of a statement, with its subject under "subject".

    Args:
        payload: the envelope's bytes, verified already where a key was given.
        name: what to call the file in messages.

    Raises:
        UnusableInput: no statement of ours.
        NewerSchema: one of a newer schema, whose words may mean something else.
    """
    try:
        statement = json.loads(payload)
        predicate, kind = statement["predicate"], statement["predicateType"]
        subject = [{"name": item["name"], "sha256": item["digest"]["sha256"]} for item in statement["subject"]]
        schema = int(predicate["schema"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise UnusableInput(f"{name}: holds no safeconvert statement ({type(error).__name__})") from error
    if deeper_than(predicate, _DEEPEST):
        raise UnusableInput(f"{name}: holds no safeconvert statement (nested too deeply)")
    if kind != PREDICATE_TYPE:
        raise UnusableInput(f"{name}: a statement of another type: {kind}")
    if schema > SCHEMA:
        raise NewerSchema(f"{name}: made by a newer safeconvert (schema {schema})", "update safeconvert")
    return {**predicate, "subject": subject}
