"""What a deployment asks of a certificate beyond being true: `[gate]` of the settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from safeconvert.certificate.signature import Signature, Signed
from safeconvert.certificate.untrusted_json import mapping, number
from safeconvert.config.gate_settings import LEVELS, GateSettings, Signer
from safeconvert.core.runtimes import Runtime
from safeconvert.gate.recompute import NATIVE

_STRICTER = 10
"""Rounding is believed where the graphs agree in float64 within the tolerance divided by this, as when it was certified."""


def violations(predicate: Mapping[str, Any], policy: GateSettings, now: datetime) -> list[str]:
    """Why a verified certificate is not enough; one line each.

    Args:
        predicate: the certificate's content.
        policy: what a certificate has to offer.
        now: with a time zone.
    """
    return [
        *_inputs(predicate, policy),
        *_tolerances(predicate, policy),
        *_runtime(predicate, policy),
        *_age(predicate, policy, now),
        *_level(predicate, policy),
    ]


def signature_problem(signature: Signature, predicate: Mapping[str, Any], policy: GateSettings) -> str:
    """Why a signature is not enough; "" where it is.

    A signature that is claimed and not valid is never enough, whatever the policy asks.
    """
    if signature.state is Signed.UNSIGNED:
        return "UNSIGNED" if policy.signature or policy.signers else ""
    if signature.state is Signed.WRONG:
        known = ", ".join(signer.key.name for signer in policy.signers)
        return f"signature not valid{f', or by none of {known}' if known else ''}"
    if signature.state is Signed.UNVERIFIABLE:
        return "signature cannot be verified without the signer's key; give --public-key, or name it in [gate] signers"
    signer = next((one for one in policy.signers if one.key == signature.key), None)
    return _dated(signer, predicate) if signer is not None else ""


def _dated(signer: Signer, predicate: Mapping[str, Any]) -> str:
    """Whether a key was in use on the day that the certificate says."""
    if signer.since is None and signer.until is None:
        return ""
    made = _made(predicate)
    if made is None:
        return f"signed by {signer.key.name}, which has dates, and the certificate has none"
    day = made.date()
    if (signer.since or date.min) <= day <= (signer.until or date.max):
        return ""
    return f"signed on {day} by {signer.key.name}, which is for {signer.since or '…'} to {signer.until or '…'}"


def _inputs(predicate: Mapping[str, Any], policy: GateSettings) -> Iterator[str]:
    samples = number(mapping(mapping(predicate.get("verification")).get(NATIVE)).get("samples")) or 0
    if samples < policy.held_out:
        yield f"verified on {samples:.0f} held-out inputs; the policy asks for {policy.held_out}"


def _tolerances(predicate: Mapping[str, Any], policy: GateSettings) -> Iterator[str]:
    comparator = mapping(predicate.get("comparator"))
    name = comparator.get("name")
    if name not in policy.comparators:
        yield f"comparator {name!r} is none of {', '.join(policy.comparators)}"
    general = mapping(comparator.get("tolerances"))
    own = mapping(comparator.get("per_output"))
    for where, tolerance in (("", general), *((f" of output {name}", mapping(one)) for name, one in own.items())):
        for key, most in (("rtol", policy.rtol), ("atol", policy.atol)):
            yield from _most(f"{key}{where}", tolerance.get(key), most)
    if "metric" in predicate or "max_drop" in comparator:
        yield from _most("max_drop", comparator.get("max_drop"), policy.max_drop)
    yield from _most("max_discrepancy", comparator.get("max_discrepancy"), policy.max_discrepancy)
    yield from _most("cosine_threshold", comparator.get("cosine_threshold"), policy.cosine_threshold)
    figures = mapping(mapping(predicate.get("verification")).get(NATIVE))
    rounding = mapping(figures.get("rounding"))
    if rounding:
        yield from _most("relative distance put down to rounding", figures.get("relative"), policy.rounding)
        yield from _most("its distance in float64", rounding.get("relative_in_float64"), policy.rtol / _STRICTER)


def _runtime(predicate: Mapping[str, Any], policy: GateSettings) -> Iterator[str]:
    runtime = mapping(predicate.get("settings")).get("tflite_runtime", Runtime.LITERT)
    if runtime not in policy.tflite_runtimes:
        yield f"TFLite files ran in {runtime!r}; the policy allows {', '.join(policy.tflite_runtimes)}"


def _most(what: str, value: object, most: float) -> Iterator[str]:
    found = number(value)
    if found is None or not found <= most:  # NaN is not below anything
        yield f"{what} is {value!r}; the policy allows {most:g}"


def _age(predicate: Mapping[str, Any], policy: GateSettings, now: datetime) -> Iterator[str]:
    if not policy.age_days:
        return
    made = _made(predicate)
    if made is None:
        yield f"the certificate has no date; the policy asks for {policy.age_days} days at most"
    elif not timedelta(days=-1) <= now - made <= timedelta(days=policy.age_days):
        yield f"made on {made.date()}; the policy asks for {policy.age_days} days at most"


def _level(predicate: Mapping[str, Any], policy: GateSettings) -> Iterator[str]:
    claimed = mapping(predicate.get("proof")).get("level")
    level = claimed if claimed in LEVELS else LEVELS[0]
    if LEVELS.index(level) < LEVELS.index(policy.evidence):
        yield f"evidence: {level}; the policy asks for {policy.evidence}"


def _made(predicate: Mapping[str, Any]) -> datetime | None:
    value = predicate.get("made")
    try:
        made = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return made.replace(tzinfo=made.tzinfo or UTC) if made is not None else None


def signers_of(keys: list[Path]) -> tuple[Signer, ...]:
    """Keys of the command line, without dates."""
    return tuple(Signer(key) for key in keys)
