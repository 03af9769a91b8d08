"""Certificates: the envelope, and the statement in it, sealed again so that a reader comes to it."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from random import Random
from typing import Any

from . import json_text
from .plain import flipped

_PLAIN = json_text.mutator(
    ("verified", "not_equivalent", "inf", "nan", "source native vs target native", "top1", "allclose")
)


def mutate(data: bytes, random: Random) -> bytes:
    """A mutated statement in a whole envelope, or a mutated envelope, with its digest or with another."""
    try:
        members = json.loads(data)
        payload = base64.b64decode(members["payload"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return flipped(data, random)
    kind = random.random()
    if kind < 0.7:
        return sealed({**members, "payload": base64.b64encode(_PLAIN(payload, random)).decode()})
    if kind < 0.9:
        try:
            changed = json.loads(_PLAIN(data, random))
        except (ValueError, RecursionError):
            return flipped(data, random)
        return sealed(changed) if isinstance(changed, dict) and random.random() < 0.7 else json.dumps(changed).encode()
    return flipped(data, random)


def with_statement(data: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    """A certificate whose statement was changed, sealed again."""
    members = json.loads(data)
    statement = json.loads(base64.b64decode(members["payload"]))
    change(statement)
    return sealed({**members, "payload": base64.b64encode(json.dumps(statement).encode()).decode()})


def sealed(members: dict[str, Any]) -> bytes:
    """The bytes of an envelope's members with their digest, as a certificate has them."""
    members = {name: value for name, value in members.items() if name != "integrity"}
    plain = json.dumps(members, sort_keys=True, separators=(",", ":"))
    members["integrity"] = "sha256:" + hashlib.sha256(plain.encode()).hexdigest()
    return (json.dumps(members, sort_keys=True, indent=1) + "\n").encode()
