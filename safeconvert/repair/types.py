"""What localization and repair find, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safeconvert.conversion.models import Evaluated
from safeconvert.core.faults import EvaluationRecord, FaultRecord, TrialRecord
from safeconvert.localize.findings import LayerScore, Reexpression


@dataclass(frozen=True)
class Diagnosis:
    """What the engine found.

    Attributes:
        faults: in the order of the rounds.
        trials: in the order in which they were made; the numbers in them are positions in `faults`.
        before, after: scores on the steering inputs, of the ONNX graphs.
        rounds: how often the graphs were aligned.
        ended: why the repair ended.
        repaired: the repaired ONNX graph, or None where no trial was accepted.
        layers: ranking of the published layer analysis, where it was requested and possible.
        unranked: why it was not possible; else "".
        reexpressions: where the target computes the same with other operators.
        changes: what the repair changes (`adapter_api.changes`), where it is constants and attributes only.
        record: errors along the layers, both graphs and the regions, as the evidence holds them; see `Recorder`.
        folder: where the regions' files lie; None where there are none.
    """

    faults: tuple[FaultRecord, ...]
    trials: tuple[TrialRecord, ...]
    before: EvaluationRecord
    after: EvaluationRecord
    rounds: int
    ended: str
    layers: tuple[LayerScore, ...] = ()
    repaired: Path | None = None
    changes: Path | None = None
    record: Mapping[str, Any] = field(default_factory=dict)
    folder: Path | None = None
    reexpressions: tuple[Reexpression, ...] = ()
    unranked: str = ""

    @staticmethod
    def from_json(answer: Mapping[str, Any], folder: Path) -> Diagnosis:
        """What the engine answered, with its files in a folder."""
        return Diagnosis(
            faults=tuple(FaultRecord.from_json(fault) for fault in answer["faults"]),
            trials=tuple(TrialRecord.from_json(trial) for trial in answer["trials"]),
            before=EvaluationRecord.from_json(answer["before"]),
            after=EvaluationRecord.from_json(answer["after"]),
            rounds=answer["rounds"],
            ended=answer["ended"],
            layers=tuple(LayerScore.from_json(layer) for layer in answer["layers"]),
            unranked=answer["unranked"],
            repaired=Path(answer["repaired"]) if answer["repaired"] else None,
            changes=Path(answer["changes"]) if answer["changes"] else None,
            record=answer["record"],
            folder=folder,
            reexpressions=tuple(Reexpression.from_json(one) for one in answer["reexpressions"]),
        )


@dataclass(frozen=True)
class PreprocessingFault:
    """The deployment feeds the target otherwise than the source was fed.

    Attributes:
        fault: the difference.
        obligation: what puts it right, in words.
        outputs: the target's as deployed, where it was run on all inputs.
    """

    fault: FaultRecord
    obligation: str
    outputs: Evaluated | None = None
