"""`[gate]`: what a certificate has to offer before its model is deployed; see default.toml for each reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from safeconvert.compare.settings import KINDS, METRICS
from safeconvert.core.proof import ProofLevel
from safeconvert.core.runtimes import DECIDING
from safeconvert.errors import UnusableInput

BY_OUTPUT = "by output"
"""The comparator of a run that named none."""
LEVELS = tuple(level.value for level in ProofLevel)
"""Levels of evidence, the weakest first."""


@dataclass(frozen=True)
class Signer:
    """A public key, and the days on which it signs (both included); None leaves that end open."""

    key: Path
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True)
class GateSettings:
    """The policy; see default.toml."""

    held_out: int
    rtol: float
    atol: float
    max_discrepancy: float
    max_drop: float
    cosine_threshold: float
    rounding: float
    comparators: tuple[str, ...]
    tflite_runtimes: tuple[str, ...]
    evidence: str
    age_days: int
    signature: bool
    signers: tuple[Signer, ...] = ()


def _comparators(path: Path, value: object) -> tuple[str, ...]:
    known = (BY_OUTPUT, *KINDS, *METRICS)
    if not isinstance(value, list) or not all(isinstance(i, str) and (i in known or ":" in i) for i in value):
        raise UnusableInput(f"{path}: gate.comparators = {value!r} is not a list of {', '.join(known)}")
    return tuple(value)


def _runtimes(path: Path, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(item in DECIDING for item in value):
        raise UnusableInput(f"{path}: gate.tflite_runtimes = {value!r} is not a list of {', '.join(DECIDING)}")
    return tuple(value)


def _evidence(path: Path, value: object) -> str:
    if value not in LEVELS:
        raise UnusableInput(f"{path}: gate.evidence = {value!r} is none of {', '.join(LEVELS)}")
    return str(value)


def _signers(path: Path, value: object) -> tuple[Signer, ...]:
    if not isinstance(value, list):
        raise UnusableInput(f"{path}: gate.signers = {value!r} is not a list", 'write it as ["release.pub"]')
    return tuple(_signer(path, item) for item in value)


def _signer(path: Path, item: object) -> Signer:
    entry = {"key": item} if isinstance(item, str) else item
    if (
        not isinstance(entry, dict)
        or not {"key"} <= set(entry) <= {"key", "from", "until"}
        or not isinstance(entry["key"], str)
        or not all(type(entry.get(end, date.min)) is date for end in ("from", "until"))
    ):
        raise UnusableInput(
            f"{path}: gate.signers holds {item!r}",
            'write it as "release.pub" or { key = "release.pub", from = 2026-11-01, until = 2027-10-31 }',
        )
    return Signer(path.absolute().parent / entry["key"], entry.get("from"), entry.get("until"))


KEYS: dict[str, Callable[[Path, object], object]] = {
    "comparators": _comparators,
    "tflite_runtimes": _runtimes,
    "evidence": _evidence,
    "signers": _signers,
}
"""How the keys that are no plain number are read."""
