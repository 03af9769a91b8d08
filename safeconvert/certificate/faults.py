"""What became of each fault, read from a certificate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from safeconvert.certificate.untrusted_json import mapping, mappings, number, numbers, text
from safeconvert.core.faults import Change, FaultKind, TrialOutcome


@dataclass(frozen=True)
class Trial:
    """One attempted repair, as a certificate that need not be ours says it; figures are None where it did not run."""

    number: int
    faults: tuple[int, ...]
    outcome: str
    reason: str
    share_before: float | None
    share_after: float | None
    distance_before: float | None
    distance_after: float | None


@dataclass(frozen=True)
class FaultState:
    """One fault as a person is shown it.

    Attributes:
        position: in the certificate's list.
        trials: numbers (from 1) of the trials that undid it.
        source_layer, target_layer: native names of the layers; "" where they are not known.
        state: `repaired`, `repaired in ONNX only`, `no gain`, `could not be undone`, `not repaired`, `kept` (in fewer
            bits, which does no harm) or `deployment` (a preprocessing fault, which lies in no file).
    """

    position: int
    kind: str
    source: str
    target: str
    operator: str
    evidence: str
    isolated: float | None
    propagated: float | None
    proven: bool
    trials: tuple[int, ...]
    state: str
    source_layer: str = ""
    target_layer: str = ""

    @property
    def layers(self) -> str:
        """Where it is on both sides: by the native layers, the ONNX nodes behind them."""
        return f"{self.source_name} ↔ {self.target_name}"

    @property
    def source_name(self) -> str:
        """The source's layer, the ONNX node behind it; the node alone where no layer is known."""
        return _name(self.source, self.source_layer)

    @property
    def target_name(self) -> str:
        """The target's, as `source_name`."""
        return _name(self.target, self.target_layer)

    @property
    def repaired(self) -> bool:
        """Whether the verified target has it no more."""
        return self.state == "repaired"


def read_trials(predicate: Mapping[str, Any]) -> list[Trial]:
    """The trials of a certificate, in order."""
    found = []
    for count, trial in enumerate(mappings(predicate.get("trials")), start=1):
        before, after = mapping(trial.get("before")), mapping(trial.get("after"))
        found.append(
            Trial(
                count,
                tuple(sorted(numbers(trial.get("faults")))),
                str(trial.get("outcome") or "-"),
                str(trial.get("reason") or ""),
                number(before.get("discrepancy")),
                number(after.get("discrepancy")),
                number(before.get("distance")),
                number(after.get("distance")),
            )
        )
    return found


def read_faults(predicate: Mapping[str, Any]) -> list[FaultState]:
    """The faults of a certificate, each with what became of it."""
    trials = read_trials(predicate)
    verified = predicate.get("verdict") == "verified"
    found = []
    for position, fault in enumerate(mappings(predicate.get("faults"))):
        own = [trial for trial in trials if position in trial.faults]
        outcomes = {trial.outcome for trial in own}
        if fault.get("kind") == FaultKind.PREPROCESSING:
            state = "deployment"
        elif fault.get("change") == Change.PRECISION:
            state = "kept" if fault.get("proven") is not True else "repaired" if verified else "not repaired"
        elif TrialOutcome.ACCEPTED in outcomes:
            state = "repaired" if verified else "repaired in ONNX only"
        elif TrialOutcome.NO_GAIN in outcomes:
            state = "no gain"
        else:
            state = "could not be undone" if own else "not repaired"
        found.append(
            FaultState(
                position,
                text(fault.get("kind")),
                text(fault.get("source")),
                text(fault.get("target")),
                text(fault.get("operator")),
                text(fault.get("evidence")),
                number(fault.get("isolated")),
                number(fault.get("propagated")),
                fault.get("proven") is True,
                tuple(trial.number for trial in own),
                state,
                str(fault.get("source_layer") or ""),
                str(fault.get("target_layer") or ""),
            )
        )
    return found


def _name(node: str, layer: str) -> str:
    return f"{layer} (ONNX {node})" if layer and layer != node else node
