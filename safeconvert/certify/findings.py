"""The part of a certificate on what was wrong with the target, and what is left for its user to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from safeconvert.pipeline.results import Attempt
from safeconvert.repair.types import Diagnosis, PreprocessingFault


def repair(diagnosis: Diagnosis | None, lift: str) -> dict[str, Any]:
    """Faults and trials, and how the repair came into the target; {} where nothing was localized."""
    if diagnosis is None:
        return {}
    return {
        "faults": [fault.to_json() for fault in diagnosis.faults],
        "trials": [trial.to_json() for trial in diagnosis.trials],
        "repair": {
            "before": diagnosis.before.to_json(),
            "after": diagnosis.after.to_json(),
            "rounds": diagnosis.rounds,
            "ended": diagnosis.ended,
            "lift": lift,
        },
        "layers": [layer.to_json() for layer in diagnosis.layers],
        "unranked": diagnosis.unranked,
        "reexpressions": [one.to_json() for one in diagnosis.reexpressions],
    }


def deployment(known: Sequence[str], decisive: Attempt, deployed: PreprocessingFault | None) -> dict[str, Any]:
    """All faults and obligations: what the target must be fed included.

    A preprocessing fault goes after the engine's faults: trials point at theirs.

    Args:
        known: obligations of the contract.
        decisive: the attempt that the verdict rests on.
        deployed: what the deployment feeds the target otherwise.
    """
    faults = [fault.to_json() for fault in decisive.diagnosis.faults] if decisive.diagnosis is not None else []
    obligations = [*known, *(decisive.candidate.reply.obligations if decisive.candidate is not None else ())]
    if deployed is not None:
        faults.append(deployed.fault.to_json())
        if not decisive.obligation:
            obligations.append(deployed.obligation)
    if decisive.obligation:
        obligations.append(decisive.obligation)
    return {"faults": faults, "obligations": obligations}
