"""A verified float target reduced to fewer bits, and verified by what counts for it on the given inputs held out.

The float target is the twin: converted, verified and repaired as without `--optimize`, so that what a reduced one loses is lost to the
bits alone. It is not published. Activations are calibrated on steering inputs.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from safeconvert.compare.settings import VerifySettings
from safeconvert.config.options import ConvertOptions
from safeconvert.conversion.route import Candidate, RouteRun, convert_along
from safeconvert.core.optimize import Io, Optimize
from safeconvert.core.text import first_line
from safeconvert.errors import NoVerdict, SafeconvertError
from safeconvert.pipeline.proposals import verify_proposals
from safeconvert.pipeline.quantize_checks import require_evidence, with_looks
from safeconvert.pipeline.results import Attempt, Compared, Quantization
from safeconvert.repair.aimed_layers import RestoredProposal, for_the_aim
from safeconvert.repair.float_target import FloatTarget, calibration_of
from safeconvert.repair.latency import Latency, measured
from safeconvert.repair.precision import ReducedTarget, has_reduced, restorations
from safeconvert.repair.proposals import NotMade, TargetProposal
from safeconvert.repair.quantization import QuantizedProposal, quantized_targets
from safeconvert.repair.quantized_file import quantizer
from safeconvert.repair.stored_repair import StoredProposal
from safeconvert.verification.source import Source, given_only
from safeconvert.workers.run import Run


@dataclass(frozen=True)
class Quantized:
    """What reducing came to.

    Attributes:
        source: with given inputs only.
        attempts: reduced targets.
        settings: what counted as equal for the last of them.
        record: how they were made.
    """

    source: Source
    attempts: list[Attempt]
    settings: VerifySettings
    record: Quantization


def quantize_target(
    run: Run, verified: Attempt, compared: Compared, source: Source, options: ConvertOptions, shown: int = 0
) -> Quantized:
    """Reduced targets of a verified float one, until one verifies.

    Args:
        run: the surroundings.
        verified: the float target's attempt.
        compared: its result.
        source: that it was compared with.
        options: of the conversion.
        shown: targets that were shown to the held-out inputs before.

    Raises:
        NoVerdict, UnusableInput: the given inputs are too few, or lack what the metric needs.
    """
    if verified.obligation:
        raise NoVerdict(
            f"--optimize {options.optimize}: the float target is right only where it is fed otherwise: {verified.obligation}",
            "name its preprocessing with --preprocessing first",
        )
    given = given_only(source)
    settings = replace(options.verify, given_only=True)
    if settings.comparator is None and settings.drop is None:
        settings = replace(settings, comparator="top1")  # fewer bits move every value: what must stay are the labels
    first = replace(options, verify=with_looks(settings, shown))
    require_evidence(run, given, first.verify, options.data)
    kind, inputs = Optimize(options.optimize), 0
    if kind.calibrated:
        target = float_target(run, compared, given, options)
        inputs = target.calibration.inputs
        proposals = _integers(run, target, first)
    else:
        proposals = _stored_in_fewer(run, verified, compared, given, first)
    attempts: list[Attempt] = []
    own, look = first, shown
    for proposal in proposals:
        own = replace(options, verify=with_looks(settings, look))
        attempts += verify_proposals(run, [proposal], verified.route, own)
        if attempts[-1].verified:
            break
        look += looked(attempts[-1])
    if not attempts[-1].verified and attempts[0].diagnosis is None:
        attempts[0] = replace(attempts[0], diagnosis=attempts[-1].diagnosis)  # the search was for what ails this one
    took = latency_of(run, compared, attempts[-1], attempts[0]) if options.target_format == "tflite" else None
    sizes = bytes_of(compared.candidate), bytes_of(attempts[-1].candidate)
    record = Quantization(kind, Io(options.io), given.data.inputs.origin, inputs, verified, took, *sizes)
    return Quantized(given, attempts, own.verify, record)


def looked(attempt: Attempt) -> bool:
    """Whether a target was shown to the held-out inputs: one that does not run, or that the steering ones refute, spends nothing of the error."""
    return attempt.verification is not None and not attempt.verification.unseen


def float_target(run: Run, compared: Compared, given: Source, options: ConvertOptions) -> FloatTarget:
    """A verified float target as its quantizer takes it.

    Raises:
        NoVerdict: no given input is left to calibrate on.
    """
    calibration = calibration_of(run, given)
    if not calibration.inputs:
        raise NoVerdict(f"{given.file.named}: no given input is left to calibrate on", "give more inputs that differ")
    return FloatTarget(
        given, compared.verification.contract, compared.verification.target, compared.candidate, options.target_format,
        Optimize(options.optimize), Io(options.io), calibration,
    )  # fmt: skip


def bytes_of(candidate: Candidate | None) -> int:
    """The size of a target's file; 0 where there is none, or it is a folder."""
    return candidate.path.stat().st_size if candidate is not None and candidate.path.is_file() else 0


def latency_of(run: Run, compared: Compared, last: Attempt, first: Attempt) -> Latency | None:
    """Of a verified target, beside its float twin and what the quantizer alone makes of that; None where it is not verified.

    Args:
        run: the surroundings.
        compared: the float twin.
        last: the target.
        first: what stands for the quantizer's own where the target does not say.
    """
    if not last.verified or last.candidate is None:
        return None
    origin = last.origin
    plain = origin.plain if isinstance(origin, QuantizedProposal) else None
    plain = origin.anew if isinstance(origin, StoredProposal) else plain
    plain = origin.plain if isinstance(origin, RestoredProposal) else plain
    raw = plain or (first.candidate.path if first.candidate is not None else last.candidate.path)
    return measured(run, compared.candidate.path, raw, last.candidate.path)


def _integers(run: Run, target: FloatTarget, options: ConvertOptions) -> Iterator[TargetProposal]:
    """What the quantizer of activations makes; where it fails, why."""
    try:
        made = quantizer(run, target)
        yield from quantized_targets(run, made, options.verify, options.repair and not options.keep_precision)
    except SafeconvertError as failure:
        yield TargetProposal(f"--optimize {target.optimize}", NotMade(first_line(str(failure))), target.source)


def _stored_in_fewer(
    run: Run, verified: Attempt, compared: Compared, source: Source, options: ConvertOptions
) -> Iterator[TargetProposal]:
    """The target as converters store it in fewer bits, and with ever more of its constants restored; where that fails, why."""
    job = RouteRun(
        verified.route, source.request, source.session.signature, source.exported, compared.candidate.path.name, options
    )
    twin = compared.candidate
    try:
        candidate = convert_along(run, job)
        sizes = f"{twin.path.stat().st_size} bytes became {candidate.path.stat().st_size}"
        plain = TargetProposal(f"{options.optimize}: {sizes}", candidate, source)
        if not options.repair or options.keep_precision or not has_reduced(run, candidate.path):
            yield plain
            return
        reduced = ReducedTarget(source, compared.verification.contract, candidate, twin.path)
        more = _for_the_aim(run, reduced, options)
        if more is None or not more.sure:
            yield plain
        if more is not None:
            yield more
        yield from restorations(run, reduced, options.verify, more.ranking if more is not None else None)
    except SafeconvertError as failure:
        yield TargetProposal(f"--optimize {options.optimize}", NotMade(first_line(str(failure))), source)


def _for_the_aim(run: Run, reduced: ReducedTarget, options: ConvertOptions) -> RestoredProposal | None:
    """What surely or maybe loses less; None where there is nothing, or it cannot be tried: the file as it is may be right all the same."""
    try:
        return for_the_aim(run, reduced, options.verify)
    except SafeconvertError:
        return None
