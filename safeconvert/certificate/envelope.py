"""The file around a statement: a DSSE envelope in canonical JSON, with a digest that any flipped byte breaks.

DSSE readers ignore members that they do not know, so that the file stays a DSSE envelope for other tools. The digest
guards against accidents, also where nobody signed; against forgery only a signature does.
"""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from pathlib import Path
from typing import Any

from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError

from safeconvert.certificate.keys import load_public_key, load_signer
from safeconvert.errors import UnusableInput

PAYLOAD_TYPE = "application/vnd.in-toto+json"
_LARGEST = 64 << 20


class Damaged(Exception):
    """A certificate whose bytes are not those that were written."""


class NotSigned(Exception):
    """A certificate without a signature, where one is asked for."""


class WrongSignature(Exception):
    """A certificate that the key given did not sign."""


def write_certificate(path: Path, statement: bytes, key: Path | None) -> None:
    """Write a statement into an envelope, signed where a private key is given. Whole or not at all.

    Raises:
        UnusableInput: the key cannot be used, or the file cannot be written.
    """
    data = _serialise(_signed(statement, key).to_dict())
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.partial")
    try:
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError as error:
        raise UnusableInput(f"{path}: cannot be written: {error.strerror}") from error
    finally:
        partial.unlink(missing_ok=True)


def sealed(statement: bytes, key: Path | None) -> str:
    """A plain DSSE envelope around a statement, as JSON text: no members but DSSE's own, for other tools.

    Raises:
        UnusableInput: the key cannot be used.
    """
    return json.dumps(_signed(statement, key).to_dict(), sort_keys=True, indent=1) + "\n"


def _signed(statement: bytes, key: Path | None) -> Envelope:
    envelope = Envelope(statement, PAYLOAD_TYPE, {})
    if key is not None:
        envelope.sign(load_signer(key))
    return envelope


def read_payload(path: Path, public_key: Path | None) -> bytes:
    """The statement's bytes, after the file's digest and, with a public key, the signature are verified.

    Raises:
        UnusableInput: not a certificate at all, or the key cannot be used.
        Damaged, NotSigned, WrongSignature: a certificate that must not be believed.
    """
    envelope = read_envelope(path)
    if public_key is not None:
        key = load_public_key(public_key)
        if not envelope.signatures:
            raise NotSigned
        try:
            envelope.verify([key], 1)
        except VerificationError as error:
            raise WrongSignature from error
    return bytes(envelope.payload)


def read_envelope(path: Path) -> Envelope:
    """The envelope of a certificate, after the file's digest is verified; its signatures are not.

    Raises:
        UnusableInput: not a certificate at all.
        Damaged: its bytes are not those that were written.
    """
    data = _read(path)
    try:
        members = json.loads(data)
    except (ValueError, RecursionError) as error:
        if data[:1] == b"{" and (b"integrity" in data or b"payloadType" in data):
            raise Damaged("not whole JSON") from error
        raise UnusableInput(f"{path}: not a safeconvert certificate") from error
    if not isinstance(members, dict) or set(members) != {"payload", "payloadType", "signatures", "integrity"}:
        raise UnusableInput(f"{path}: not a safeconvert certificate")
    rest = {name: value for name, value in members.items() if name != "integrity"}
    try:
        written = _serialise(rest)
    except RecursionError as error:
        raise Damaged("it is nested deeper than any that is written") from error
    if written != data:
        raise Damaged("its bytes are not those that were written")
    try:
        envelope = Envelope.from_dict(rest)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Damaged("not a DSSE envelope") from error
    if envelope.payload_type != PAYLOAD_TYPE:
        raise UnusableInput(f"{path}: an envelope of another type: {envelope.payload_type}")
    _require_unicode(data)
    _require_unicode(bytes(envelope.payload))
    return envelope


def _require_unicode(data: bytes) -> None:
    """Refuse half of a surrogate pair, which JSON can write and nobody can print. Raises Damaged."""
    try:
        json.dumps(json.loads(data), ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise Damaged("it holds text that is no Unicode") from error
    except (ValueError, RecursionError):
        return  # no JSON, or too deep: whoever parses it says so


def _serialise(members: dict[str, Any]) -> bytes:
    """Canonical bytes of the envelope's members and their digest."""
    plain = json.dumps(members, sort_keys=True, separators=(",", ":"))
    integrity = "sha256:" + hashlib.sha256(plain.encode()).hexdigest()
    return (json.dumps({**members, "integrity": integrity}, sort_keys=True, indent=1) + "\n").encode()


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError as error:
        raise UnusableInput(f"{path}: cannot be read: {error.strerror}") from error
    if len(data) > _LARGEST:
        raise UnusableInput(f"{path}: too large for a certificate")
    return data
