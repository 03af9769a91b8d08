"""What the models were run on, and what that exercised, as the certificate has it."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

from safeconvert.certify.figures import brief
from safeconvert.core.proof import ProofLevel, ProofRecord
from safeconvert.verification.coverage import Coverage
from safeconvert.verification.source import Source
from safeconvert.verification.types import Passed, Searched, Verification

_COUNTS = ("count", "distinct", "used", "held_out")
_MISSING = 50  # items not exercised that are named


def described(source: Source, sha256: str, passed: Passed | None) -> dict[str, Any]:
    """The inputs: where from, how many, how many of these differ, and what axis 0 is.

    Args:
        source: with the first inputs.
        sha256: of the inputs.
        passed: what was compared in passing, all of it held out.
    """
    made_up = len(source.data.extra) if source.data.generated else 0
    behind = passed.rest.stop - passed.rest.start if passed is not None else 0
    more = passed.tally.samples if passed is not None else 0
    left_out = passed.tally.left_out if passed is not None else 0
    return {
        "origin": source.data.inputs.origin,
        "generated": source.data.generated,
        "sha256": sha256,
        "count": source.data.inputs.count + made_up + behind,
        "distinct": len(source.data.distinct) + made_up + more + left_out,
        "used": len(source.steering) + len(source.held_out) - _steering_made_up(source) + more,
        "held_out": len(source.held_out) + more,
        **({"nonfinite": len(source.data.nonfinite)} if source.data.nonfinite else {}),
        "axis_0": str(source.axis),
        "split_seed": source.data.seed,
        "kinds": list(source.data.inputs.kinds),
    }


def shard(source: Source, passed: Passed | None) -> dict[str, Any]:
    """Which part of many inputs was compared, and what merging it with the others needs; {} of all inputs."""
    if passed is None or passed.rest.part is None:
        return {}
    rest = passed.rest
    return {
        "shard": {
            "number": rest.part[0] if rest.part else 1,
            "of": rest.part[1] if rest.part else 1,
            "first": rest.first,
            "start": rest.start,
            "stop": rest.stop,
            "inputs": rest.inputs.count,
            "figures_of_first": passed.first.to_json(),
            "counts_of_first": {
                name: value
                for name, value in described(source, "", None).items()
                if type(value) is int and name in _COUNTS
            },
            "exact_relative": passed.apart,
            "moments": [one.to_json() for one in passed.moments],
        }
    }


_SETTINGS = tuple(
    f"{name} is "
    for name in (
        "alpha",
        "beta",
        "bias",
        "clip",
        "epsilon",
        "fmod",
        "gamma",
        "lambd",
        "max",
        "min",
        "select_last_index",
    )
)
"""Attributes that no re-expression changes, at the beginning of what tells two nodes apart."""


def evidence(source: Source, verification: Verification | None, proof: ProofRecord) -> dict[str, Any]:
    """What made-up and searched inputs gave, which outputs were not compared, remarks, and what was exercised."""
    found: dict[str, Any] = {}
    if source.data.extra and not source.data.generated:
        figures = verification.joined if verification is not None else None
        found["made_up"] = {
            "counts": dict(sorted(Counter(source.data.extra).items())),
            "used": _steering_made_up(source) + len(source.joined),
            "held_out": len(source.joined),
            "figures": brief(figures) if figures is not None else None,
        }
    if verification is not None and verification.searched is not None:
        found["searched"] = _searched(verification.searched)
    if verification is not None and verification.sizes.tried:
        found["other_sizes"] = list(verification.sizes.tried)
    if source.blind:
        found["not_compared"] = dict(source.blind)
    remarks = list(verification.remarks) if verification is not None else []
    if verification is not None and verification.native.equal:
        remarks += _untold(verification, proof)
    return found | {"remarks": remarks, "coverage": _coverage(source.coverage.result())}


def _untold(verification: Verification, proof: ProofRecord) -> list[str]:
    """A remark on what is another number in the target, is no part of a proof, and no input showed."""
    if proof.level is not ProofLevel.SAMPLED:
        return []
    ended = {str(one["target"]): one for one in proof.unproven if one.get("others")}
    said = [
        f"{one['operator']} {name} of the target holds {one['others']} numbers that are others in the source: no input that was tried shows it"
        for name, one in ended.items()
    ]
    said += [
        f"{one['operator']} {one['target']} of the target is another: {one['missing']}: no input that was tried shows it"
        for one in proof.unproven
        if one.get("differs") and not one.get("others") and str(one["missing"]).startswith(_SETTINGS)
    ]
    missed = verification.searched.missed if verification.searched is not None else ()
    return said + [f"{line}: no input that was tried shows it" for node, line in missed if node not in ended]


def _steering_made_up(source: Source) -> int:
    """How many samples that steer decisions were made up beside given ones."""
    return 0 if source.data.generated else int((source.steering >= source.data.inputs.count).sum())


def _searched(searched: Searched) -> dict[str, Any]:
    """What was searched, so that it can be done again: round for round the same where the number of rounds is."""
    return {
        "inputs": searched.inputs,
        "rounds": searched.rounds,
        "batch": searched.batch,
        "limit": "rounds" if searched.seconds is None else f"{searched.seconds:g} seconds",
        "nearest": searched.nearest if math.isfinite(searched.nearest) else repr(searched.nearest),
        "counterexamples": searched.figures.samples if searched.figures is not None else 0,
        "figures": brief(searched.figures) if searched.figures is not None else None,
        **({"ended": searched.why} if searched.why else {}),
        **({"used_in_repair": searched.known} if searched.known else {}),
    }


def _coverage(coverage: Coverage) -> dict[str, Any]:
    """How much of the source was exercised, and what was not."""
    return {
        "items": len(coverage.items),
        "exercised": len(coverage.exercised),
        "inputs": coverage.inputs,
        "missing": list(coverage.missing[:_MISSING]),
        "impossible": len(coverage.impossible),
        **({"reason": coverage.reason} if coverage.reason else {}),
    }
