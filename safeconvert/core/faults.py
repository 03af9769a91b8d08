"""Faults, trials, scores and outcomes: the records that the repair, the pipeline and the certificate share.

Each record has one JSON form, in `to_json` and `from_json`, and nothing else reads or writes it. JSON has no infinity and
no NaN: such a number is written as the text that Python writes it as (`"inf"`), and read back from it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Json = Mapping[str, Any]


class FaultKind(StrEnum):
    """The kinds of faults, in the order in which FetaFix tries them (Louloudakis et al., EASE 2025, section 4)."""

    PREPROCESSING = "PP"
    INPUT_DIMENSIONS = "ID"
    TENSOR_STRUCTURE = "TSS"
    WEIGHTS = "WB"
    HYPERPARAMETERS = "LH"
    COMPUTATION_GRAPH = "CG"

    @property
    def full_name(self) -> str:
        """What the abbreviation stands for."""
        return _NAMES[self]


_NAMES = {
    FaultKind.PREPROCESSING: "preprocessing",
    FaultKind.INPUT_DIMENSIONS: "input dimensions",
    FaultKind.TENSOR_STRUCTURE: "tensor shape and structure",
    FaultKind.WEIGHTS: "weights and biases",
    FaultKind.HYPERPARAMETERS: "layer hyperparameters",
    FaultKind.COMPUTATION_GRAPH: "computation graph",
}


def kind_name(text: str) -> str:
    """What an abbreviation from a file stands for; "" where it is of no kind that is known."""
    return FaultKind(text).full_name if text in list(FaultKind) else ""


class Change(StrEnum):
    """How the target differs from the source at a fault."""

    MISSING = "missing"
    ADDED = "added"
    DIFFERENT = "different"
    PRECISION = "precision"
    """Stored in fewer bits, as was asked for."""


class TrialOutcome(StrEnum):
    """What became of one attempted repair."""

    ACCEPTED = "accepted"
    NO_GAIN = "no_gain"
    INVALID = "invalid"
    """The candidate does not load or does not run."""


class RouteOutcome(StrEnum):
    """What became of one route; the first is the best."""

    VERIFIED = "verified"
    NOT_EQUIVALENT = "not_equivalent"
    NO_VERDICT = "no_verdict"
    """The target loads but does not run."""
    CRASHED = "crashed"
    """A converter failed, or its target does not load."""
    SKIPPED = "skipped"
    """It was not tried: by what its converters declare it cannot work."""


class ExporterVerdict(StrEnum):
    """How a model's ONNX form compares with the model in its own framework."""

    EQUAL = "equal"
    DIFFERENT = "different"
    FAILED = "failed"
    """No exporter worked, or the export does not run."""
    NONE = "none"
    """The model is ONNX itself."""


@dataclass(frozen=True)
class FaultRecord:
    """One fault, as the certificate lists it.

    Attributes:
        kind: of the six.
        source: the source's node; "" where it has none.
        target: the target's node.
        operator: of the target's node.
        change: how the target differs.
        evidence: in words and numbers.
        isolated: error behind it with the source's values going in, relative to the largest magnitude there.
        propagated: error there in the target as it was given.
        proven: undoing it makes the nodes around it right; else it is a suspicion.
        source_layer, target_layer: native names of the layers that these nodes stand for; "" where they are not known.
    """

    kind: FaultKind
    source: str
    target: str
    operator: str
    change: Change
    evidence: str
    isolated: float
    propagated: float
    proven: bool
    source_layer: str = ""
    target_layer: str = ""

    def to_json(self) -> dict[str, Any]:
        """A JSON-able form."""
        return {
            "kind": self.kind.value,
            "source": self.source,
            "target": self.target,
            "operator": self.operator,
            "change": self.change.value,
            "evidence": self.evidence,
            "isolated": finite(self.isolated),
            "propagated": finite(self.propagated),
            "proven": self.proven,
            **({"source_layer": self.source_layer} if self.source_layer else {}),
            **({"target_layer": self.target_layer} if self.target_layer else {}),
        }

    @staticmethod
    def from_json(data: Json) -> FaultRecord:
        """The inverse of `to_json`. Raises KeyError, ValueError where it is none."""
        numbers = {name: float(data[name]) for name in ("isolated", "propagated")}
        return FaultRecord(**{**data, **numbers, "kind": FaultKind(data["kind"]), "change": Change(data["change"])})


@dataclass(frozen=True, order=True)
class ScoreRecord:
    """How far a candidate is from the source; compared in this order, smaller is nearer.

    Attributes:
        discrepancy: share of inputs that disagree, or are beyond tolerance where the comparator asks for it.
        distance: mean over inputs of the largest relative distance of an output.
        labels: share that disagrees by the comparator alone.
        max_abs: largest distance.
    """

    discrepancy: float
    distance: float
    labels: float = 0.0
    max_abs: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """A JSON-able form."""
        return {
            "discrepancy": finite(self.discrepancy),
            "distance": finite(self.distance),
            "labels": finite(self.labels),
            "max_abs": finite(self.max_abs),
        }

    @staticmethod
    def from_json(data: Json) -> ScoreRecord:
        """The inverse of `to_json`. Raises KeyError, ValueError where it is none."""
        return ScoreRecord(*(float(data[name]) for name in ("discrepancy", "distance", "labels", "max_abs")))


@dataclass(frozen=True)
class EvaluationRecord:
    """A score on all steering inputs, and the numbers of the inputs that are not equal."""

    score: ScoreRecord
    unequal: tuple[int, ...]

    def to_json(self) -> dict[str, Any]:
        """A JSON-able form."""
        return {**self.score.to_json(), "unequal": list(self.unequal)}

    @staticmethod
    def from_json(data: Json) -> EvaluationRecord:
        """The inverse of `to_json`. Raises KeyError, ValueError where it is none."""
        return EvaluationRecord(ScoreRecord.from_json(data), tuple(data["unequal"]))


@dataclass(frozen=True)
class TrialRecord:
    """One attempted repair, as the certificate lists it.

    Attributes:
        faults: the faults undone together, as positions in the list of faults.
        outcome: what became of it.
        reason: why it is invalid, or by what means it was undone where there are several; else "".
        before, after: scores on the trial inputs; `after` is None where it is invalid.
    """

    faults: tuple[int, ...]
    outcome: TrialOutcome
    reason: str
    before: ScoreRecord
    after: ScoreRecord | None

    def to_json(self) -> dict[str, Any]:
        """A JSON-able form."""
        return {
            "faults": list(self.faults),
            "outcome": self.outcome.value,
            "reason": self.reason,
            "before": self.before.to_json(),
            "after": self.after.to_json() if self.after is not None else None,
        }

    @staticmethod
    def from_json(data: Json) -> TrialRecord:
        """The inverse of `to_json`. Raises KeyError, ValueError where it is none."""
        after = ScoreRecord.from_json(data["after"]) if data["after"] is not None else None
        before = ScoreRecord.from_json(data["before"])
        return TrialRecord(tuple(data["faults"]), TrialOutcome(data["outcome"]), data["reason"], before, after)


def finite(value: float) -> float | str:
    """A number as JSON can hold it: infinities and NaN as text."""
    return value if math.isfinite(value) else repr(float(value))
