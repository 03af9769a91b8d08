"""An existing file in integers that is wrong: the tensors at fault stored anew, or all of it quantised anew from its source.

The source is converted to a float target, which is verified, and that is quantised as the file is, calibrated on the steering inputs. What
the file stores otherwise is at fault as far as storing it so puts the file right; the fewest such tensors are taken over, and the rest of the file is left
as it is. Where that is not enough, the new file is the repair.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from safeconvert.config.options import ConvertOptions
from safeconvert.conversion.route import RouteRun
from safeconvert.core.optimize import Optimize
from safeconvert.core.text import first_line
from safeconvert.errors import SafeconvertError
from safeconvert.pipeline.proposals import verify_proposals
from safeconvert.pipeline.quantize_checks import with_looks
from safeconvert.pipeline.quantize_stage import Quantized, bytes_of, float_target, latency_of, looked, quantize_target
from safeconvert.pipeline.results import Attempt, Compared, Quantization
from safeconvert.pipeline.route_selection import try_routes
from safeconvert.registry.routes import routes, worth_trying
from safeconvert.repair.quantization import QuantizedProposal
from safeconvert.repair.quantized_file import quantizer
from safeconvert.repair.stored import io_of, quantization_faults, scheme_of
from safeconvert.repair.stored_repair import WrongFile, stored_anew
from safeconvert.repair.types import Diagnosis
from safeconvert.verification.source import Source, given_only
from safeconvert.workers.run import Run


@dataclass(frozen=True)
class Requantized:
    """What became of a wrong file in integers.

    Attributes:
        wrong: its attempt, with what it stores otherwise, or why that is not known.
        anew: the files quantised anew; None where there are none.
    """

    wrong: Attempt
    anew: Quantized | None


def requantized(run: Run, wrong: Attempt, source: Source, options: ConvertOptions) -> Requantized:
    """Quantise anew, where a file in integers is wrong by a comparison that is meant for such; the attempt as it is elsewhere.

    Never raises for what cannot be made: it is noted.
    """
    result = wrong.result
    asked = options.verify.drop is not None or options.verify.comparator is not None
    if not isinstance(result, Compared) or options.target_format != "tflite" or options.data.path is None or not asked:
        return Requantized(wrong, None)
    try:
        scheme, io = scheme_of(run, result.candidate.path), io_of(result.verification.target)
        if scheme is Optimize.NONE or io is None:
            return Requantized(wrong, None)
        twin = _twin(run, result, source, options)
        if not isinstance(twin.result, Compared) or not twin.verified:
            return Requantized(
                replace(wrong, note=f"not quantised anew: no float target verified: {twin.reason}"), None
            )
        own = replace(options, optimize=str(scheme), io=str(io))
        stored = _stored_anew(run, wrong, twin, source, own)
        if stored is not None and stored.attempts[-1].verified:
            return Requantized(replace(wrong, diagnosis=stored.attempts[-1].diagnosis), stored)
        shown = int(stored is not None and looked(stored.attempts[-1]))
        anew = quantize_target(run, twin, twin.result, source, own, shown)
        diagnosis = _explained(run, result, anew)
        if diagnosis is None:
            return Requantized(wrong, anew)
        last = anew.attempts[-1]
        repaired = replace(last, diagnosis=diagnosis)  # what it puts right; what it computes in float is an obligation
        return Requantized(replace(wrong, diagnosis=diagnosis), replace(anew, attempts=[*anew.attempts[:-1], repaired]))
    except SafeconvertError as error:
        return Requantized(replace(wrong, note=f"not quantised anew: {first_line(str(error))}"), None)


def _stored_anew(run: Run, wrong: Attempt, twin: Attempt, source: Source, options: ConvertOptions) -> Quantized | None:
    """The wrong file with the fewest tensors stored anew, verified; None where no such file satisfies the steering inputs."""
    result, plain = wrong.result, twin.result
    if not isinstance(result, Compared) or not isinstance(plain, Compared) or not options.repair:
        return None
    given = given_only(source)
    settings = with_looks(replace(options.verify, given_only=True), 0)
    target = float_target(run, plain, given, options)
    anew = quantizer(run, target).write().candidate.path
    file = WrongFile(given, result.verification.contract, result.candidate, anew)
    proposal = stored_anew(run, file, settings)
    if proposal is None:
        return None
    attempts = list(verify_proposals(run, [proposal], wrong.route, replace(options, verify=settings)))
    took = latency_of(run, plain, attempts[-1], attempts[-1])
    kind, calibrated = Optimize(options.optimize), target.calibration
    sizes = bytes_of(plain.candidate), bytes_of(attempts[-1].candidate)
    made = Quantization(kind, target.io, calibrated.origin, calibrated.inputs, twin, took, *sizes)
    return Quantized(given, attempts, settings, made)


def _twin(run: Run, result: Compared, source: Source, options: ConvertOptions) -> Attempt:
    """The float target, along the first route that verifies."""
    plain = replace(options, optimize=str(Optimize.NONE), verify=replace(options.verify, drop=None, comparator=None))
    found = worth_trying(
        routes(source.file.format, "tflite", run.adapters, source.file.variant), run.settings.limits.routes
    )
    job = RouteRun(
        found[0], source.request, source.session.signature, source.exported, result.candidate.path.name, plain
    )
    began = time.monotonic()
    attempt = try_routes(run, found, source, job, None)[-1]
    return replace(attempt, seconds=round(time.monotonic() - began, 3))


def _explained(run: Run, result: Compared, anew: Quantized) -> Diagnosis | None:
    """What a wrong file stores otherwise than the last file quantised anew that there is; None where nothing."""
    made = next((one for one in reversed(anew.attempts) if isinstance(one.result, Compared)), None)
    if made is None or not isinstance(made.result, Compared) or made.verification is None:
        return None
    figures = result.verification.native, made.verification.native
    origin, path = made.origin, made.result.candidate.path
    if isinstance(origin, QuantizedProposal) and origin.plain is not None:
        path = origin.plain  # another's biases are corrected, which is no fault of this one
    return quantization_faults(run, result.candidate.path, path, figures)
