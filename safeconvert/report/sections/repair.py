"""Faults and the trials of their repair."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safeconvert.certificate.faults import read_faults, read_trials
from safeconvert.certificate.untrusted_json import mapping, text
from safeconvert.core.faults import TrialOutcome, kind_name
from safeconvert.report.charts import trajectory_chart
from safeconvert.report.sections.numbers import ROWS, figure, listed, share


def repair(predicate: Mapping[str, Any]) -> dict[str, Any]:
    """The trials, accepted ones first where there are too many, and their chart."""
    made = mapping(predicate.get("repair"))
    trials = read_trials(predicate)
    accepted = sum(trial.outcome == TrialOutcome.ACCEPTED for trial in trials)
    order = sorted(trials, key=lambda trial: trial.outcome != TrialOutcome.ACCEPTED)[:ROWS]
    return {
        "trajectory_chart": trajectory_chart(trials, made, frozenset(trial.number for trial in order)),
        "trials_left": len(trials) - len(order),
        "trajectory": f"{len(trials)} tried, {accepted} accepted; it ended with: {text(made.get('ended'))}. Single "
        "trials are judged on a few inputs, both ends on all steering ones.",
        "trials": [
            {
                "number": trial.number, "faults": listed(trial.faults), "outcome": trial.outcome.replace("_", " "),
                "reason": trial.reason, "share_before": share(trial.share_before),
                "share_after": share(trial.share_after), "before": figure(trial.distance_before),
                "after": figure(trial.distance_after),
            }
            for trial in sorted(order, key=lambda trial: trial.number)
        ],
    }  # fmt: skip


def faults(predicate: Mapping[str, Any]) -> dict[str, Any]:
    """The faults, as the certificate numbers them; why there are none."""
    found = read_faults(predicate)
    rows = [
        {
            "number": fault.position + 1, "kind": fault.kind, "kind_title": kind_name(fault.kind),
            "source": fault.source_name, "target": fault.target_name, "operator": fault.operator, "evidence": fault.evidence,
            "isolated": figure(fault.isolated), "propagated": figure(fault.propagated),
            "state": fault.state + ("" if fault.proven else " (suspicion)"),
            "tone": "good" if fault.repaired else "bad" if fault.proven else "",
        }
        for fault in found[:ROWS]
    ]  # fmt: skip
    verified = predicate.get("verdict") == "verified"
    why = "None: the target was equal as it was converted." if verified else (
        "None was localized: safeconvert localize names them." if predicate.get("verdict") == "not_equivalent"
        else "None was localized."
    )  # fmt: skip
    return {"faults": rows, "faults_left": len(found) - len(rows), "no_faults": why}
