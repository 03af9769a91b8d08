"""What verifications, attempts and conversions come to, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safeconvert.config.options import ConvertOptions, VerifyOptions
from safeconvert.conversion.route import Candidate
from safeconvert.core.formats import ModelFile
from safeconvert.core.signature import Signature
from safeconvert.errors import ExitCode
from safeconvert.registry.environments import Offer
from safeconvert.registry.routes import Route
from safeconvert.repair.preprocessing import PreprocessingFault
from safeconvert.repair.types import Diagnosis
from safeconvert.verification.source import Source
from safeconvert.verification.types import ExporterCheck, Verification


@dataclass(frozen=True)
class Attempt:
    """One route tried.

    Attributes:
        route: the converters.
        outcome: `verified`; `not_equivalent`; `crashed` (a converter failed, or its target does not load); `no_verdict`
            (the target loads but does not run).
        reason: one line.
        log: where the full story of a failure lies.
        candidate: the target made, where one was.
        verification: where it could be held against the source.
        diagnosis: what the engine found, where it was asked.
        lift: how a repair came into this target; "" where none did.
        interface: signature of a target whose inputs or outputs cannot be the source's; None otherwise.
        fed: what the target is fed, in words, where that is other than the source is.
        seconds: from its start to its verdict; 0 for a repair of another attempt's target.
    """

    route: Route
    outcome: str
    reason: str
    log: str = ""
    candidate: Candidate | None = None
    verification: Verification | None = None
    diagnosis: Diagnosis | None = None
    lift: str = ""
    fed: str = ""
    interface: Signature | None = None
    seconds: float = 0.0


@dataclass(frozen=True)
class Conversion:
    """What a conversion came to.

    Attributes:
        target: the output path. A file is there only where `exit_code` is VERIFIED.
        rejected: where the last candidate was left, if there was one and it did not verify.
        exporter: what became of the source's ONNX form.
        obstacles: `operator` and `node` that the converters named, where none could convert.
        offers: what adapters that are not installed would have offered, where no target verified.
        preprocessing: what the deployment feeds the target otherwise, where it was named and does.
        layers: errors along the layers of a target that needed no diagnosis, where they were asked for.
    """

    options: ConvertOptions
    source: Source
    target: Path
    rejected: Path | None
    attempts: tuple[Attempt, ...]
    exporter: ExporterCheck
    exit_code: ExitCode
    reason: str
    preprocessing: PreprocessingFault | None = None
    layers: Mapping[str, Any] = field(default_factory=dict)
    offers: tuple[Offer, ...] = ()
    obstacles: tuple[Mapping[str, Any], ...] = ()

    @property
    def decisive(self) -> Attempt:
        """The attempt that the verdict rests on: the verified one, else the last that got furthest."""
        order = ("verified", "not_equivalent", "no_verdict", "crashed")
        return min(reversed(self.attempts), key=lambda a: (order.index(a.outcome), a.diagnosis is None))


@dataclass(frozen=True)
class PairVerification:
    """What the verification of a given pair came to."""

    options: VerifyOptions
    source: Source
    target: ModelFile
    verification: Verification
    exporter: ExporterCheck
    exit_code: ExitCode
