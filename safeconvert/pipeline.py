"""The way of one conversion, and of one verification of a pair made elsewhere.

    inspect → convert (route) → export both to ONNX → verify → place

Routes are tried in order until one verifies natively. A candidate that the steering part of the inputs refutes is not
shown the held-out part; the held-out part gives the verdict.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from safeconvert import output
from safeconvert.adapting import ConvertReply, ModelRequest, Permutation
from safeconvert.context import Context
from safeconvert.deployment import PreprocessingFault, check_preprocessing
from safeconvert.diagnosis import Diagnosis, diagnose
from safeconvert.errors import ExitCode, NoVerdict, SafeconvertError, UnusableInput
from safeconvert.formats import ModelFile, detect
from safeconvert.isolation import AdapterFailure, first_line
from safeconvert.lift.candidates import lifted
from safeconvert.models import Export, cause_of, evaluate, export, model_request, open_given, open_model
from safeconvert.options import ConvertOptions, VerifyOptions
from safeconvert.registry import FORMATS, Adapter, Route, framework, parse_route, routes
from safeconvert.route import Candidate, walk
from safeconvert.runtime.session import Session
from safeconvert.signature import Signature
from safeconvert.source import Source, chunks_for, evaluate_source
from safeconvert.verification import ExporterCheck, against_export, compare, feed_across
from safeconvert.verify.comparison import Comparison
from safeconvert.verify.contract import Contract, contract
from safeconvert.verify.custom import require_comparator
from safeconvert.verify.settings import VerifySettings


@dataclass(frozen=True)
class Verification:
    """A target held against the source.

    Attributes:
        agreed: which tensors correspond, and how.
        native: source native vs target native on the held-out inputs, or on the steering ones where those refuted it.
        exporter: what became of the target's ONNX form.
        reason: the verdict in one line.
        target: signature of the native target.
        exported: its ONNX form.
    """

    agreed: Contract
    native: Comparison
    exporter: ExporterCheck
    reason: str
    target: Signature
    exported: Export


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
    """

    route: Route
    outcome: str
    reason: str
    log: str = ""
    candidate: Candidate | None = None
    verification: Verification | None = None
    diagnosis: Diagnosis | None = None
    lift: str = ""


@dataclass(frozen=True)
class Conversion:
    """What a conversion came to.

    Attributes:
        target: the output path. A file is there only where `exit_code` is VERIFIED.
        rejected: where the last candidate was left, if there was one and it did not verify.
        exporter: what became of the source's ONNX form.
        preprocessing: what the deployment feeds the target otherwise, where it was named and does.
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


def convert(context: Context, options: ConvertOptions) -> Conversion:
    """Convert and verify; bring the target to its place where it verified, else beside it as `<target>.rejected`.

    The certificate is the caller's to write.

    Raises:
        UnusableInput: the source, the inputs or an option cannot be used.
        NoVerdict: the source does not run on the inputs, or is not a function.
    """
    if options.target_format not in FORMATS:
        raise UnusableInput(f"target format '{options.target_format}': unknown", f"one of {', '.join(FORMATS)}")
    if options.optimize not in ("none", "default", "float16"):
        raise UnusableInput(f"--optimize {options.optimize}: unknown", "one of none, default, float16")
    require_comparator(options.verify.comparator, str(Path.cwd()))
    target = output.output_path(options.source, options.target_format, options.output)
    output.clear(target)
    file = detect(options.source)
    _require_formats(file, options)
    ways = _ways(context, file, options)
    attempts: list[Attempt] = []
    with ThreadPoolExecutor(max_workers=6) as threads:
        _warm(context, threads, "convert", ways[0].adapters[-1])
        _warm(context, threads, "target", framework(options.target_format, context.adapters))
        early: list[Future[Candidate]] = []

        def opened(request: ModelRequest, signature: Signature) -> None:
            """A first route that needs no export of the source is walked while the source runs."""
            if len(ways[0].adapters) == 1:
                early.append(
                    threads.submit(
                        walk, context, ways[0], request, signature, None, target.name, options.opset, options.optimize
                    )
                )

        try:
            source = evaluate_source(
                context, threads, file, options.model, options.data, options.verify, options.opset, opened
            )
        except BaseException:
            context.pool.worker("convert").abandon()
            raise
        for number, way in enumerate(ways):
            begun = early[0] if early and number == 0 else None
            attempts.append(_attempt(context, threads, way, source, target.name, options, begun))
            if attempts[-1].outcome == "verified":
                break
        if attempts[-1].outcome != "verified":
            attempts = _repaired(context, threads, attempts, source, options)
        exporter = source.exporter.result()
    exit_code, reason = _conclude(attempts)
    conversion = Conversion(options, source, target, None, tuple(attempts), exporter, exit_code, reason)
    candidate = conversion.decisive.candidate
    if candidate is None:
        return conversion
    if exit_code is ExitCode.VERIFIED:
        output.place(candidate.path, target)
        return conversion
    output.place(candidate.path, output.rejected_path(target))
    return replace(conversion, rejected=output.rejected_path(target))


def verify(context: Context, options: VerifyOptions) -> PairVerification:
    """Hold a target that was converted elsewhere against its source.

    Raises:
        UnusableInput: a model, the inputs or an option cannot be used.
        NotEquivalent: inputs or outputs that cannot correspond.
        NoVerdict: a model does not run on the inputs, or the source is not a function.
    """
    require_comparator(options.verify.comparator, str(Path.cwd()))
    file, target_file = detect(options.source), detect(options.target)
    with ThreadPoolExecutor(max_workers=6) as threads:
        _warm(context, threads, "target", framework(target_file.format, context.adapters))
        source = evaluate_source(context, threads, file, options.model, options.data, options.verify, 0)
        request = replace(
            model_request(target_file.path, options.model, _suggested(source.session.signature)), input_shapes={}
        )
        session = open_given(context, "target", target_file, request)
        agreed = contract(source.session.signature, session.signature, overrides=options.layouts)
        try:
            verification = hold_against(context, threads, source, session, request, agreed, options.verify, 0)
        except AdapterFailure as failure:
            raise NoVerdict(
                f"{target_file.path}: does not run on the source's inputs: {failure.cause}", "", str(failure.log)
            ) from failure
        exporter = source.exporter.result()
    exit_code = ExitCode.VERIFIED if verification.native.equal else ExitCode.NOT_EQUIVALENT
    return PairVerification(options, source, target_file, verification, exporter, exit_code)


def mend(context: Context, options: ConvertOptions, given: Path) -> Conversion:
    """Hold a given target against its source; localize its faults, and repair them where the options say so.

    What is verified, repaired or not, is brought to the output path; nothing is where only localization is asked for.

    Args:
        context: of the run.
        options: as for a conversion; `target_format` is the given target's.
        given: the target that was converted elsewhere.

    Raises:
        UnusableInput, NotEquivalent, NoVerdict: as `verify`.
    """
    require_comparator(options.verify.comparator, str(Path.cwd()))
    if options.layer_analysis not in ("", "onnxruntime", "tvm"):
        raise UnusableInput(f"--layer-analysis {options.layer_analysis}: unknown", "one of onnxruntime, tvm")
    file, target_file = detect(options.source), detect(given)
    given = target_file.path
    options = replace(options, target_format=target_file.format)
    target = given.absolute()
    if options.repair:
        target = output.output_path(given, target_file.format, options.output)
        output.clear(target)
    with ThreadPoolExecutor(max_workers=6) as threads:
        _warm(context, threads, "target", framework(target_file.format, context.adapters))
        source = evaluate_source(context, threads, file, options.model, options.data, options.verify, 0)
        request = replace(model_request(given, options.model, _suggested(source.session.signature)), input_shapes={})
        session = open_given(context, "target", target_file, request)
        agreed = contract(source.session.signature, session.signature, overrides=options.layouts)
        try:
            verification = hold_against(context, threads, source, session, request, agreed, options.verify, 0)
            deployed = check_preprocessing(
                context, source, session, agreed, options.data, options.verify, verification.native
            )
        except AdapterFailure as failure:
            raise NoVerdict(
                f"{given}: does not run on the source's inputs: {failure.cause}", "", str(failure.log)
            ) from failure
        reply = ConvertReply(
            tuple(tensor.permutation for tensor in agreed.inputs),
            tuple(tensor.permutation for tensor in agreed.outputs),
        )
        staged = output.copied(given.absolute(), context.folder("given"))
        outcome = "verified" if verification.native.equal else "not_equivalent"
        route = Route((), (file.format, target_file.format))
        attempts = [Attempt(route, outcome, verification.reason, "", Candidate(staged, reply), verification)]
        if outcome != "verified":
            attempts = _repaired(context, threads, attempts, source, options)
        exporter = source.exporter.result()
    exit_code, reason = _conclude(attempts)
    if deployed is not None and exit_code is ExitCode.VERIFIED and not options.repair:
        exit_code, reason = ExitCode.NOT_EQUIVALENT, f"fed otherwise than the source: {deployed.fault['evidence']}"
    conversion = Conversion(options, source, target, None, tuple(attempts), exporter, exit_code, reason, deployed)
    if exit_code is ExitCode.VERIFIED and options.repair and conversion.decisive.candidate is not None:
        output.place(conversion.decisive.candidate.path, target)
    return conversion


def hold_against(
    context: Context,
    threads: ThreadPoolExecutor,
    source: Source,
    session: Session,
    request: ModelRequest,
    agreed: Contract,
    settings: VerifySettings,
    opset: int,
) -> Verification:
    """Run a target natively and through ONNX, side by side, and compare.

    Raises:
        AdapterFailure: it does not run natively.
        NotEquivalent: its outputs are not the declared ones.
    """
    data = source.data
    exporting = threads.submit(
        export, context, "convert", session.adapter.format, request, session.signature, opset, "target"
    )
    try:
        feeds = feed_across(agreed, data.chunks, context.folder("feed"))
        outputs = evaluate(context, session, feeds, "running the target")
        figures = compare(agreed, source.outputs, outputs, data.chunks, settings)
    finally:
        exported = exporting.result()
    refuted = len(source.steering) > 0 and not figures.result(source.steering).equal
    native = figures.result(source.steering if refuted else source.held_out)
    exporter = against_export(context, outputs, exported, chunks_for(data, feeds), settings, source.held_out, "target")
    return Verification(agreed, native, exporter, _verdict_line(native), session.signature, exported)


def _require_formats(file: ModelFile, options: ConvertOptions) -> None:
    if options.source_format and file.format != options.source_format:
        raise UnusableInput(
            f"{file.path}: holds a {file.format} model ({file.variant}), not a {options.source_format} one",
            f"use {file.format}2{options.target_format}, or convert --to {options.target_format}",
        )
    if file.format == options.target_format:
        raise UnusableInput(f"{file.path}: is a {file.format} model already", "choose another target format")


def _ways(context: Context, file: ModelFile, options: ConvertOptions) -> tuple[Route, ...]:
    if options.route:
        return (parse_route(options.route, file.format, options.target_format, context.adapters),)
    return routes(file.format, options.target_format, context.adapters)[: context.settings.limits.routes]


def _warm(context: Context, threads: ThreadPoolExecutor, lane: str, adapter: Adapter) -> None:
    """Start importing a framework while there is other work to do."""
    threads.submit(context.pool.warm, lane, Path(sys.executable), adapter.modules)


def _attempt(
    context: Context,
    threads: ThreadPoolExecutor,
    way: Route,
    source: Source,
    name: str,
    options: ConvertOptions,
    begun: Future[Candidate] | None,
) -> Attempt:
    """Walk one route (or wait for the walk begun) and hold its target against the source.

    Never raises for what the route does wrong.
    """
    signature = source.session.signature
    try:
        if begun is not None:
            candidate = begun.result()
        else:
            candidate = walk(
                context, way, source.request, signature, source.exported, name, options.opset, options.optimize
            )
    except (AdapterFailure, UnusableInput) as error:
        return Attempt(way, "crashed", _failure_line(error), str(error.log))
    try:
        made = detect(candidate.path)
        if made.format != options.target_format:
            raise UnusableInput(f"{candidate.path.name}: {way.names[-1]} wrote a {made.format} file")
        request = ModelRequest(str(candidate.path), candidate_shapes=_suggested(signature))
        with context.phases.phase("loading the target"):
            session = open_model(context, "target", options.target_format, request)
    except (AdapterFailure, UnusableInput) as error:
        reason = f"{way.names[-1]} wrote a target that does not load: {cause_of(error)}"
        return Attempt(way, "crashed", reason, str(error.log), candidate if candidate.path.exists() else None)
    try:
        agreed = _contract(signature, session.signature, candidate.reply, options)
        verification = hold_against(context, threads, source, session, request, agreed, options.verify, options.opset)
    except AdapterFailure as failure:
        reason = f"the target does not run: {failure.cause}"
        return Attempt(way, "no_verdict", reason, str(failure.log), candidate)
    except SafeconvertError as error:
        outcome = "not_equivalent" if error.exit_code is ExitCode.NOT_EQUIVALENT else "no_verdict"
        return Attempt(way, outcome, error.message, error.log, candidate)
    outcome = "verified" if verification.native.equal else "not_equivalent"
    return Attempt(way, outcome, verification.reason, "", candidate, verification)


def _repaired(
    context: Context,
    threads: ThreadPoolExecutor,
    attempts: list[Attempt],
    source: Source,
    options: ConvertOptions,
) -> list[Attempt]:
    """The attempts, the first wrong target diagnosed, and after it every repair of it that was lifted and verified."""
    wrong = next((attempt for attempt in attempts if _can_be_diagnosed(attempt, source)), None)
    if wrong is None or wrong.verification is None or wrong.candidate is None:
        return attempts
    verification, made = wrong.verification, wrong.candidate
    repair = options.repair and options.optimize == "none"
    try:
        diagnosis = diagnose(
            context,
            source,
            verification.target,
            verification.exported,
            verification.agreed,
            options.verify,
            repair,
            options.layer_analysis,
        )
    except (AdapterFailure, SafeconvertError) as error:
        note = f"{wrong.reason}; not localized: {first_line(str(error))}"
        return [replace(attempt, reason=note) if attempt is wrong else attempt for attempt in attempts]
    attempts = [replace(attempt, diagnosis=diagnosis) if attempt is wrong else attempt for attempt in attempts]
    if diagnosis.repaired is None:
        return attempts
    for lift in lifted(context, diagnosis, made, options.target_format, verification.target, options.optimize):
        if lift.candidate is None:
            tried = Attempt(wrong.route, "crashed", f"{lift.how}: {lift.reason}", lift=lift.how)
        else:
            done: Future[Candidate] = Future()
            done.set_result(lift.candidate)
            context.pool.worker("target").close()  # the emitted file is verified in a fresh process
            tried = _attempt(context, threads, wrong.route, source, made.path.name, options, done)
            tried = replace(tried, lift=lift.how, diagnosis=diagnosis)
        attempts.append(tried)
        if tried.outcome == "verified":
            break
    return attempts


def _can_be_diagnosed(attempt: Attempt, source: Source) -> bool:
    """Whether both ONNX forms are there and equal to their native models: faults of exporters are not the target's."""
    verification = attempt.verification
    if attempt.outcome != "not_equivalent" or verification is None or verification.exported.path is None:
        return False
    sound = ("equal", "none")
    return (
        source.exported.path is not None
        and source.exporter.result().verdict in sound
        and verification.exporter.verdict in sound
    )


def _contract(source: Signature, target: Signature, reply: ConvertReply, options: ConvertOptions) -> Contract:
    """The contract that the converters declare; what they leave unsaid is unchanged."""

    def declared(names: Sequence[str], moved: tuple[Permutation | None, ...]) -> dict[str, Permutation | None]:
        padded = moved + (None,) * (len(names) - len(moved))
        return dict(zip(names, padded, strict=False))

    return contract(
        source,
        target,
        declared([spec.name for spec in source.inputs], reply.inputs),
        declared([spec.name for spec in source.outputs], reply.outputs),
        options.layouts,
    )


def _suggested(signature: Signature) -> tuple[tuple[int, ...], ...]:
    """Shapes for a target that declares none: the source's, and the same with its channels moved."""
    shapes = []
    for spec in signature.inputs:
        shape = tuple(size or 0 for size in spec.shape)
        shapes.append(shape)
        if 3 <= len(shape) <= 5:
            shapes += [(shape[0], *shape[2:], shape[1]), (shape[0], shape[-1], *shape[1:-1])]
    return tuple(shapes)


def _conclude(attempts: Sequence[Attempt]) -> tuple[ExitCode, str]:
    """The exit code and the reason, from what became of the routes."""
    by_outcome = {attempt.outcome: attempt for attempt in attempts}
    for outcome, code in (
        ("verified", ExitCode.VERIFIED),
        ("not_equivalent", ExitCode.NOT_EQUIVALENT),
        ("no_verdict", ExitCode.NO_VERDICT),
    ):
        if outcome in by_outcome:
            return code, by_outcome[outcome].reason
    return ExitCode.NO_ROUTE, "; ".join(f"{attempt.route}: {attempt.reason}" for attempt in attempts)


def _failure_line(error: AdapterFailure | UnusableInput) -> str:
    return first_line(str(error), 400)


def _verdict_line(figures: Comparison) -> str:
    """The verdict of a comparison in one line."""
    if figures.equal:
        return (
            f"equal on {figures.samples} held-out inputs: labels or values differ on {figures.disagreements}, "
            f"max-abs {figures.max_abs:.3g}; disagreement rate below {figures.upper_bound:.2%} with 95 % confidence"
        )
    outputs = next((f" ({output.reason})" for output in figures.outputs if output.reason), "")
    return (
        f"differs on {max(figures.disagreements, figures.beyond_tolerance)} of {figures.samples} inputs: labels or values "
        f"on {figures.disagreements}, distance beyond tolerance on {figures.beyond_tolerance}, "
        f"max-abs {figures.max_abs:.3g}, relative {figures.relative:.3g}{outputs}"
    )
