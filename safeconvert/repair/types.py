"""What localization and repair find, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safeconvert.conversion.models import Evaluated


@dataclass(frozen=True)
class Diagnosis:
    """What the engine found.

    Attributes:
        faults: as the certificate lists them.
        trials: as the certificate lists them; `faults` in them are positions in `faults`.
        before, after: scores on the steering inputs, of the ONNX graphs.
        rounds: how often the graphs were aligned.
        ended: why the repair ended.
        repaired: the repaired ONNX graph, or None where no trial was accepted.
        layers: ranking of the published layer analysis, where it was asked for and possible.
        unranked: why it was not possible; else "".
        reexpressions: where the target computes the same with other operators.
        changes: what the repair changes (`lift.changes`), where it is constants and attributes only.
        record: errors along the layers, both graphs and the regions, for the evidence; see `Recorder`.
        folder: where the regions' files lie; None where there are none.
    """

    faults: tuple[dict[str, Any], ...]
    trials: tuple[dict[str, Any], ...]
    before: dict[str, Any]
    after: dict[str, Any]
    rounds: int
    ended: str
    layers: tuple[dict[str, Any], ...]
    repaired: Path | None
    changes: Path | None
    record: Mapping[str, Any] = field(default_factory=dict)
    folder: Path | None = None
    reexpressions: tuple[dict[str, Any], ...] = ()
    unranked: str = ""


@dataclass(frozen=True)
class PreprocessingFault:
    """The deployment feeds the target otherwise than the source was fed.

    Attributes:
        fault: as the certificate lists it.
        obligation: what puts it right, in words.
        outputs: the target's as deployed, where it was run on all inputs.
    """

    fault: dict[str, Any]
    obligation: str
    outputs: Evaluated | None = None
