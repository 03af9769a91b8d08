"""What verifications, attempts and conversions come to, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from safeconvert.compare.settings import VerifySettings
from safeconvert.config.options import ConvertOptions, VerifyOptions
from safeconvert.conversion.route import Candidate
from safeconvert.core.faults import RouteOutcome
from safeconvert.core.formats import ModelFile
from safeconvert.core.obstacles import Obstacle
from safeconvert.core.optimize import Io, Optimize
from safeconvert.core.signature import Signature
from safeconvert.errors import ExitCode
from safeconvert.registry.environments import Offer
from safeconvert.registry.routes import Route
from safeconvert.repair.latency import Latency
from safeconvert.repair.proposals import TargetProposal
from safeconvert.repair.types import Diagnosis, PreprocessingFault
from safeconvert.verification.pair import Pair
from safeconvert.verification.source import Source
from safeconvert.verification.types import ExporterCheck, Verification


@dataclass(frozen=True)
class Crashed:
    """A converter failed, or what it wrote does not load.

    Attributes:
        reason: one line.
        candidate: the file that does not load; None where none was written.
    """

    reason: str
    candidate: Candidate | None = None
    outcome: ClassVar[RouteOutcome] = RouteOutcome.CRASHED


@dataclass(frozen=True)
class Skipped:
    """A route that was not tried, since by what its converters declare it cannot work.

    Attributes:
        reason: one line.
    """

    reason: str
    candidate: None = None
    outcome: ClassVar[RouteOutcome] = RouteOutcome.SKIPPED


@dataclass(frozen=True)
class Unrunnable:
    """The target loads, but does not run on the source's inputs, or its outputs cannot be compared as requested.

    Attributes:
        reason: one line.
        candidate: the target.
    """

    reason: str
    candidate: Candidate
    outcome: ClassVar[RouteOutcome] = RouteOutcome.NO_VERDICT


@dataclass(frozen=True)
class Incomparable:
    """The target's inputs or outputs cannot be the source's.

    Attributes:
        reason: one line.
        candidate: the target.
        interface: its signature; None where it is only its outputs' values that are not as it declares them.
    """

    reason: str
    candidate: Candidate
    interface: Signature | None
    outcome: ClassVar[RouteOutcome] = RouteOutcome.NOT_EQUIVALENT


@dataclass(frozen=True)
class Compared:
    """The target was compared with its source."""

    candidate: Candidate
    verification: Verification

    @property
    def reason(self) -> str:
        """The verdict in one line."""
        return self.verification.reason

    @property
    def outcome(self) -> RouteOutcome:
        """Verified or not equivalent."""
        return RouteOutcome.VERIFIED if self.verification.native.equal else RouteOutcome.NOT_EQUIVALENT


Result = Crashed | Skipped | Unrunnable | Incomparable | Compared


@dataclass(frozen=True)
class Attempt:
    """One target tried: as a route made it, or as a repair did.

    Attributes:
        route: the converters.
        result: what became of it.
        diagnosis: what the engine found, where it was called.
        origin: the repair that proposed the target; None where it is as it was converted.
        note: what could not be done about it; "" otherwise.
        seconds: from its start to its verdict; 0 for a repair of another attempt's target.
    """

    route: Route
    result: Result
    diagnosis: Diagnosis | None = None
    origin: TargetProposal | None = None
    note: str = ""
    seconds: float = 0.0

    @property
    def outcome(self) -> RouteOutcome:
        """See `RouteOutcome`."""
        return self.result.outcome

    @property
    def verified(self) -> bool:
        """Whether the target is the same function as the source, as far as was seen."""
        return self.result.outcome is RouteOutcome.VERIFIED

    @property
    def reason(self) -> str:
        """One line."""
        return f"{self.result.reason}; {self.note}" if self.note else self.result.reason

    @property
    def candidate(self) -> Candidate | None:
        """The target made, where one was."""
        return self.result.candidate

    @property
    def verification(self) -> Verification | None:
        """The comparison with the source, where there was one."""
        return self.result.verification if isinstance(self.result, Compared) else None

    @property
    def lift(self) -> str:
        """How a repair came into this target; "" where none did."""
        return self.origin.description if self.origin is not None else ""

    @property
    def obligation(self) -> str:
        """What the target has to be fed, in words, where that is other than the source is."""
        return self.origin.obligation if self.origin is not None else ""


def of_part(file: ModelFile, reason: str) -> str:
    """A verdict's reason, which says of which part of the source it is, where it is one."""
    return reason if file.part is None else f"{file.part.cut.described}: {reason}"


@dataclass(frozen=True)
class Quantization:
    """How the quantised targets of a conversion were made.

    Attributes:
        optimize: the scheme.
        io: what they take and give.
        origin: of the inputs that the ranges of activations were measured on.
        inputs: how many of these, all of them steering inputs.
        twin: the float target that they were made of, verified.
        latency: of the verified target beside others; None where it was not measured.
        float_bytes, bytes: sizes of the float target and of the last reduced one; 0 where there is no such file.
    """

    optimize: Optimize
    io: Io
    origin: str
    inputs: int
    twin: Attempt
    latency: Latency | None = None
    float_bytes: int = 0
    bytes: int = 0


@dataclass(frozen=True)
class Conversion:
    """What a conversion came to.

    Attributes:
        target: the output path. A file belongs there only where `exit_code` is VERIFIED.
        rejected: where the last candidate belongs, if there was one and it did not verify.
        exporter: what became of the source's ONNX form.
        obstacles: `operator` and `node` that the converters named, where none could convert.
        offers: what adapters that are not installed would have offered, where no target verified.
        preprocessing: what the deployment feeds the target otherwise, where it was named and does.
        layers: errors along the layers of a target that needed no diagnosis, where they were requested.
        quantization: how the targets were quantised; None where they were not, or no float target verified.
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
    obstacles: tuple[Obstacle, ...] = ()
    quantization: Quantization | None = None

    @property
    def decisive(self) -> Attempt:
        """The attempt that the verdict rests on: the verified one, else the last that got furthest."""
        order = list(RouteOutcome)
        return min(reversed(self.attempts), key=lambda a: (order.index(a.outcome), a.diagnosis is None))

    @property
    def verification(self) -> Verification | None:
        """The comparison that the verdict rests on, where there was one."""
        return self.decisive.verification

    @property
    def route(self) -> Route:
        """The converters that made the target."""
        return self.decisive.route

    @property
    def target_format(self) -> str:
        """The target's format."""
        return self.options.target_format

    @property
    def settings(self) -> VerifySettings:
        """What counted as equal."""
        return self.options.verify

    @property
    def arguments(self) -> Mapping[str, Any]:
        """The last converter's own."""
        return self.options.arguments


@dataclass(frozen=True)
class PairVerification:
    """What the verification of an existing pair came to; both models of `pair` are open as long as the run is."""

    options: VerifyOptions
    source: Source
    target: ModelFile
    verification: Verification
    exporter: ExporterCheck
    exit_code: ExitCode
    pair: Pair

    @property
    def reason(self) -> str:
        """The verdict in one line; of which part, where it is one."""
        return of_part(self.source.file, self.verification.reason)

    @property
    def route(self) -> Route:
        """No converters: the conversion exists already."""
        return Route((), (self.source.file.format, self.target.format))

    @property
    def target_format(self) -> str:
        """The target's format."""
        return self.target.format

    @property
    def settings(self) -> VerifySettings:
        """What counted as equal."""
        return self.options.verify

    @property
    def arguments(self) -> Mapping[str, Any]:
        """None."""
        return {}
