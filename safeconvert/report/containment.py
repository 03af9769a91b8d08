"""What containment of the workers held, as a certificate has it: one line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safeconvert.certificate.untrusted_json import mapping, sequence, text

_MEANS = ("seccomp", "limits", "environment")


def contained(predicate: Mapping[str, Any]) -> str:
    """The level, what was asked for, and by what means which workers were contained; "-" where the certificate does not say."""
    found = mapping(predicate.get("containment"))
    if not found:
        return "-"
    lacking = [text(lack) for lack in sequence(found.get("lacking"))]
    roles: dict[str, list[str]] = {}
    for role, held in sorted(mapping(found.get("workers")).items()):
        roles.setdefault(_means(mapping(held)), []).append(text(role))
    means = [f"{', '.join(names)} by {how}" for how, names in roles.items() if how]
    return "; ".join([f"{text(found.get('level'))} (--containment {text(found.get('mode'))})", *lacking, *means])


def _means(held: Mapping[str, Any]) -> str:
    """What held of one worker; "" for nothing."""
    version = held.get("landlock")
    named = [f"Landlock {text(version)}"] if version else []
    return ", ".join([*named, *(name for name in _MEANS if held.get(name) is True)])
