"""The way of one conversion, and of one verification of a pair made elsewhere.

    inspect → convert (route) → export both to ONNX → verify → place

Routes are tried in order until one verifies natively, or all of them (`portfolio`). A candidate that the steering part of the inputs refutes is not
shown the held-out part; the held-out part gives the verdict.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from safeconvert.adapter_api.protocol import UNCHANGED, WHOLE, ModelRequest
from safeconvert.compare.contract import Contract, contract
from safeconvert.compare.custom import require_comparator
from safeconvert.compare.layout import LayoutMismatch
from safeconvert.config.options import LAYER_ANALYSIS, OPTIMIZE, ConvertOptions, VerifyOptions
from safeconvert.conversion.models import model_request, open_given, open_model
from safeconvert.conversion.route import Candidate, Steps, walk
from safeconvert.core import paths
from safeconvert.core.formats import FORMATS, ModelFile, detect
from safeconvert.core.signature import Signature
from safeconvert.errors import AdapterFailure, ExitCode, NoVerdict, SafeconvertError, UnusableInput
from safeconvert.pipeline.embed_preprocessing import baked
from safeconvert.pipeline.repair_stage import repaired
from safeconvert.pipeline.results import Attempt, Conversion, PairVerification
from safeconvert.pipeline.route_selection import ALL, Begun, walk_ways, ways
from safeconvert.pipeline.unsupported_operators import described, obstacles, refuse_undefined
from safeconvert.registry.environments import offers
from safeconvert.registry.manifest import Adapter, framework
from safeconvert.registry.routes import Route
from safeconvert.repair.client import measure
from safeconvert.repair.preprocessing import PreprocessingFault, agreeing_presets, check_preprocessing, fed_as
from safeconvert.verification.interface import moved, require_sizes, suggested_shapes
from safeconvert.verification.rounding import blameless
from safeconvert.verification.source import Source, evaluate_source
from safeconvert.verification.target import hold_against
from safeconvert.workers.run import Context
from safeconvert.workers.session import Session


def convert(context: Context, options: ConvertOptions) -> Conversion:
    """Convert and verify; bring the target to its place where it verified, else beside it as `<target>.rejected`.

    The certificate is the caller's to write.

    Raises:
        UnusableInput: the source, the inputs or an option cannot be used.
        NoVerdict: the source does not run on the inputs, or is not a function.
    """
    if options.target_format not in FORMATS:
        raise UnusableInput(f"target format '{options.target_format}': unknown", f"one of {', '.join(FORMATS)}")
    if options.optimize not in OPTIMIZE:
        raise UnusableInput(f"--optimize {options.optimize}: unknown", f"one of {', '.join(OPTIMIZE)}")
    if options.optimize != "none" and options.verify.comparator is None:
        # fewer bits were asked for, and a distance beyond rounding with them: what must stay are the labels
        options = replace(options, verify=replace(options.verify, comparator="top1"))
    require_comparator(options.verify.comparator, str(Path.cwd()))
    target = paths.output_path(options.source, options.target_format, options.output)
    paths.clear(target)
    file = detect(options.source)
    _require_formats(file, options)
    found = ways(context, file, options)
    with ThreadPoolExecutor(max_workers=6) as threads:
        _warm(context, threads, "convert", found[0].adapters[-1])
        _warm(context, threads, "target", framework(options.target_format, context.adapters))
        early: list[Begun] = []
        steps = Steps()

        def opened(request: ModelRequest, signature: Signature) -> None:
            """A first route that needs no export of the source is walked while the source runs, unless times are compared."""
            if len(found[0].adapters) == 1 and options.routes != ALL:
                began = time.monotonic()
                walking = threads.submit(
                    walk,
                    context,
                    found[0],
                    request,
                    signature,
                    None,
                    target.name,
                    options.opset,
                    options.optimize,
                    options.arguments,
                    steps,
                )
                early.append(Begun(walking, began))

        try:
            source = evaluate_source(
                context, threads, file, options.model, options.data, options.verify, options.opset, opened
            )
        except BaseException as error:
            context.pool.worker("convert", found[0].adapters[-1].python).abandon()
            if isinstance(error, UnusableInput):
                refuse_undefined(context, file, options, found, target.name)
            raise
        attempts = walk_ways(context, threads, found, source, target.name, options, early[0] if early else None, steps)
        if attempts[-1].outcome != "verified":
            attempts = repaired(context, threads, attempts, source, options)
        deployed = None
        if attempts[-1].outcome == "verified":
            deployed = _as_deployed(context, source, attempts[-1], options)
            if options.bake_preprocessing:
                attempts = baked(context, threads, attempts, source, options)
        exporter = blameless(context, source.exporter.result(), attempts[-1].verification)
    exit_code, reason = _conclude(attempts)
    conversion = Conversion(options, source, target, None, tuple(attempts), exporter, exit_code, reason, deployed)
    conversion = _with_layers(context, conversion)
    if exit_code is not ExitCode.VERIFIED:
        offered = offers(file.format, options.target_format, context.adapters, context.missing)
        blamed = obstacles(context, source, attempts) if exit_code is ExitCode.NO_ROUTE else ()
        said = f"{described(blamed)}: no converter expresses it; {reason}" if blamed else reason
        conversion = replace(conversion, offers=offered, obstacles=blamed, reason=said)
    candidate = conversion.decisive.candidate
    if candidate is None:
        return conversion
    if exit_code is ExitCode.VERIFIED:
        paths.place(candidate.path, target)
        return conversion
    paths.place(candidate.path, paths.rejected_path(target))
    return replace(conversion, rejected=paths.rejected_path(target))


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
        sizes = _sizes_of_target(context, file, target_file, options)
        source = evaluate_source(
            context, threads, file, options.model, options.data, options.verify, 0, candidates=sizes
        )
        request = replace(
            model_request(target_file.path, options.model, suggested_shapes(source.session.signature)), input_shapes={}
        )
        session = open_given(context, "target", target_file, request)
        agreed = contract(source.session.signature, session.signature, overrides=options.layouts)
        try:
            verification = hold_against(context, threads, source, session, request, agreed, options.verify, 0)
        except AdapterFailure as failure:
            raise NoVerdict(
                f"{target_file.path}: does not run on the source's inputs: {failure.cause}", "", str(failure.log)
            ) from failure
        exporter = blameless(context, source.exporter.result(), verification)
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
    if options.layer_analysis not in ("", *LAYER_ANALYSIS):
        raise UnusableInput(
            f"--layer-analysis {options.layer_analysis}: unknown", f"one of {', '.join(LAYER_ANALYSIS)}"
        )
    file, target_file = detect(options.source), detect(given)
    given = target_file.path
    options = replace(options, target_format=target_file.format)
    target = given.absolute()
    if options.repair:
        target = paths.output_path(given, target_file.format, options.output)
        paths.clear(target)
    with ThreadPoolExecutor(max_workers=6) as threads:
        _warm(context, threads, "target", framework(target_file.format, context.adapters))
        sizes = _sizes_of_target(context, file, target_file, options)
        source = evaluate_source(
            context, threads, file, options.model, options.data, options.verify, 0, candidates=sizes
        )
        request = replace(
            model_request(given, options.model, suggested_shapes(source.session.signature)), input_shapes={}
        )
        session = open_given(context, "target", target_file, request)
        staged = paths.copied(given.absolute(), context.folder("given"))
        route = Route((), (file.format, target_file.format))
        deployed = None
        try:
            agreed = contract(source.session.signature, session.signature, overrides=options.layouts)
            require_sizes(source, agreed)
        except LayoutMismatch as mismatch:
            made = Candidate(staged, UNCHANGED)
            attempts = [Attempt(route, "not_equivalent", mismatch.message, "", made, interface=session.signature)]
        else:
            attempts, deployed = _held(context, threads, source, session, request, agreed, route, staged, options)
        if attempts[-1].outcome != "verified":
            attempts = repaired(context, threads, attempts, source, options)
        if attempts[-1].outcome == "verified" and deployed is None and attempts[0].interface is not None:
            deployed = _as_deployed(context, source, attempts[-1], options)
        if attempts[-1].outcome == "verified" and options.repair and options.bake_preprocessing:
            attempts = baked(context, threads, attempts, source, options)
        exporter = blameless(context, source.exporter.result(), attempts[-1].verification)
    exit_code, reason = _conclude(attempts)
    if deployed is not None and exit_code is ExitCode.VERIFIED and not options.repair:
        exit_code, reason = ExitCode.NOT_EQUIVALENT, f"fed otherwise than the source: {deployed.fault['evidence']}"
    conversion = Conversion(options, source, target, None, tuple(attempts), exporter, exit_code, reason, deployed)
    conversion = _with_layers(context, conversion)
    if exit_code is ExitCode.VERIFIED and options.repair and conversion.decisive.candidate is not None:
        paths.place(conversion.decisive.candidate.path, target)
    return conversion


def _sizes_of_target(
    context: Context, source: ModelFile, target: ModelFile, options: ConvertOptions | VerifyOptions
) -> tuple[tuple[int, ...], ...]:
    """Shapes for a source that declares none, where neither user nor data say them: those that the given target takes."""
    declares = source.format != "torch" or source.variant == "exported_program"
    if declares or target.format == "torch" or options.data.path is not None or options.model.input_shapes:
        return ()
    session = open_given(context, "target", target, replace(model_request(target.path, options.model), part=WHOLE))
    if len(session.signature.inputs) != 1 or None in session.signature.inputs[0].shape[1:]:
        return ()
    shapes = suggested_shapes(session.signature)
    return shapes if target.format == "onnx" else shapes[::-1]  # channels first, as PyTorch has them


def _held(
    context: Context,
    threads: ThreadPoolExecutor,
    source: Source,
    session: Session,
    request: ModelRequest,
    agreed: Contract,
    route: Route,
    staged: Path,
    options: ConvertOptions,
) -> tuple[list[Attempt], PreprocessingFault | None]:
    """A given target held against the source, under the source's preprocessing and under others.

    Raises:
        NoVerdict: it does not run.
    """
    try:
        verification = hold_against(context, threads, source, session, request, agreed, options.verify, 0)
        deployed = check_preprocessing(
            context, source, session, agreed, options.data, options.verify, verification.native
        )
        outcome = "verified" if verification.native.equal else "not_equivalent"
        attempts = [Attempt(route, outcome, verification.reason, "", Candidate(staged, moved(agreed)), verification)]
        if outcome != "verified" and "PP" in context.settings.repair.strategies:
            attempts, found = _as_known(context, threads, source, session, request, attempts, options)
            deployed = found or deployed
    except AdapterFailure as failure:
        raise NoVerdict(
            f"{session.path}: does not run on the source's inputs: {failure.cause}", "", str(failure.log)
        ) from failure
    return attempts, deployed


def _with_layers(context: Context, conversion: Conversion) -> Conversion:
    """The errors along the layers added, where they are asked for, no diagnosis holds them and both have an ONNX form."""
    decisive, source = conversion.decisive, conversion.source
    verification = decisive.verification
    known = decisive.diagnosis is not None and decisive.diagnosis.record
    if not conversion.options.layer_errors or known or verification is None:
        return conversion
    if source.exported.path is None or verification.exported.path is None:
        return conversion
    try:
        found = measure(
            context, source, verification.target, verification.exported, verification.agreed, conversion.options.verify
        )
    except SafeconvertError:
        return conversion  # an ONNX form that does not run; no verdict rests on it
    return replace(conversion, layers=found)


def _as_deployed(
    context: Context, source: Source, attempt: Attempt, options: ConvertOptions
) -> PreprocessingFault | None:
    """What the deployment feeds a verified target otherwise, where it was named."""
    if not options.data.target_preprocessing or attempt.verification is None or attempt.candidate is None:
        return None
    verification = attempt.verification
    shapes = suggested_shapes(source.session.signature)
    request = ModelRequest(str(attempt.candidate.path), candidate_shapes=shapes)
    session = open_model(context, "target", options.target_format, request)
    return check_preprocessing(
        context, source, session, verification.agreed, options.data, options.verify, verification.native
    )


def _as_known(
    context: Context,
    threads: ThreadPoolExecutor,
    source: Source,
    session: Session,
    request: ModelRequest,
    attempts: list[Attempt],
    options: ConvertOptions,
) -> tuple[list[Attempt], PreprocessingFault | None]:
    """The attempts, and after them the same target under a known preset with which it is the source."""
    wrong = attempts[-1]
    if wrong.verification is None:
        return attempts, None
    agreed = wrong.verification.agreed
    for recipe, fault in agreeing_presets(context, source, session, agreed, options.data, options.verify):
        fed = fed_as(context, source, options.data, recipe)
        verification = hold_against(context, threads, fed, session, request, agreed, options.verify, 0)
        if verification.native.equal:
            right = replace(
                wrong,
                outcome="verified",
                reason=verification.reason,
                verification=verification,
                lift=f"fed as {recipe.name}",
                fed=fault.obligation,
            )
            return [*attempts, right], fault
    return attempts, None


def _require_formats(file: ModelFile, options: ConvertOptions) -> None:
    if options.source_format and file.format != options.source_format:
        raise UnusableInput(
            f"{file.path}: holds a {file.format} model ({file.variant}), not a {options.source_format} one",
            f"use {file.format}2{options.target_format}, or convert --to {options.target_format}",
        )
    if file.format == options.target_format:
        raise UnusableInput(f"{file.path}: is a {file.format} model already", "choose another target format")


def _warm(context: Context, threads: ThreadPoolExecutor, lane: str, adapter: Adapter) -> None:
    """Start importing a framework while there is other work to do."""
    threads.submit(context.pool.warm, lane, adapter.python, adapter.modules)


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
