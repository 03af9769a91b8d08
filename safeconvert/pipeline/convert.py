"""The life of one conversion.

    inspect → convert along a route → read or export both sides to ONNX → verify → repair where it is wrong → publish

Routes are tried in order until one verifies natively, or all of them (`route_selection`). A candidate that the steering part of the inputs refutes is not
shown the held-out part; the held-out part gives the verdict.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.compare.custom import require_comparator
from safeconvert.config.options import OPTIMIZE, ConvertOptions
from safeconvert.conversion.models import Export, model_request
from safeconvert.conversion.route import RouteRun, convert_along, role_of
from safeconvert.core import paths
from safeconvert.core.formats import FORMATS, ModelFile, detect
from safeconvert.core.optimize import Optimize
from safeconvert.core.signature import Signature
from safeconvert.errors import ExitCode, UnusableInput
from safeconvert.pipeline.declared import declared_obstacle
from safeconvert.pipeline.export_stage import explain_exports
from safeconvert.pipeline.quantize_checks import check_quantization, require_metric
from safeconvert.pipeline.quantize_stage import quantize_target
from safeconvert.pipeline.repair_stage import repair_target
from safeconvert.pipeline.results import Attempt, Compared, Conversion, of_part
from safeconvert.pipeline.route_selection import ALL, PrefetchedRoute, select_routes, try_routes
from safeconvert.pipeline.steps import (
    check_deployment,
    conclude,
    warm,
    with_embedded_preprocessing,
    with_layer_errors,
)
from safeconvert.pipeline.unsupported_operators import described, host_code, obstacles, refuse_undefined
from safeconvert.registry.environments import offers
from safeconvert.registry.manifest import framework
from safeconvert.registry.routes import Route
from safeconvert.verification.part import take_part
from safeconvert.verification.rounding import accept_export_rounding
from safeconvert.verification.snapshot import admit, snapshot
from safeconvert.verification.source import Source, SourceOptions, evaluate_source
from safeconvert.workers.run import Run


def destination(options: ConvertOptions) -> Path:
    """The output path of a conversion.

    Raises:
        UnusableInput: an unknown format, or a place that cannot be written or holds the source.
    """
    if options.target_format not in FORMATS:
        raise UnusableInput(f"target format '{options.target_format}': unknown", f"one of {', '.join(FORMATS)}")
    return paths.output_path(options.source, options.target_format, options.output)


def convert(run: Run, options: ConvertOptions) -> Conversion:
    """Convert and verify. To publish the target, or what was rejected, with a certificate is the caller's.

    Raises:
        UnusableInput: the source, the inputs or an option cannot be used.
        NoVerdict: the source does not run on the inputs, or is not a function.
    """
    target = destination(options)
    options = _checked(options)
    file = detect(options.source)
    _require_formats(file, options)
    admit(run, options.model, options.arguments)
    file = take_part(run, snapshot(run, file), options.model)
    found = select_routes(run, file, options)
    warm(run, "convert", found[0].adapters[-1])
    warm(run, "target", framework(options.target_format, run.adapters))
    plain = _in_float(options)
    source, attempts = _first_verified(run, file, found, target.name, plain, _may_be_read(found, options))
    source = source.current if attempts[-1].verified else source.settled()
    source, attempts = explain_exports(run, source, attempts, plain.verify, repair=True)
    if not attempts[-1].verified:
        source, attempts = repair_target(run, attempts, source, plain)
    quantization = None
    twin = attempts[-1]
    if plain is not options and isinstance(twin.result, Compared) and twin.verified:
        made = quantize_target(run, twin, twin.result, source, options)
        source, attempts, quantization = made.source, made.attempts, made.record
        options = replace(options, verify=made.settings)
    deployed = None
    if attempts[-1].verified:
        deployed = check_deployment(run, source, attempts[-1], options)
        if options.bake_preprocessing:
            attempts = with_embedded_preprocessing(run, attempts, source, options)
    exporter = accept_export_rounding(run, source.exporter.result(), attempts[-1].verification)
    exit_code, reason = conclude(attempts)
    reason = of_part(file, reason)
    conversion = Conversion(
        options, source, target, None, tuple(attempts), exporter, exit_code, reason, deployed, quantization=quantization
    )
    conversion = _with_obstacles(run, with_layer_errors(run, conversion))
    if conversion.decisive.candidate is None or exit_code is ExitCode.VERIFIED:
        return conversion
    return replace(conversion, rejected=paths.rejected_path(target))


def _may_be_read(found: Sequence[Route], options: ConvertOptions) -> bool:
    """Whether the source need not be exported: one converter makes the target, and no ONNX file, and nothing beside the verdict is requested that is
    read off an exporter's form."""
    beside = options.layer_errors or options.bake_preprocessing or options.optimize != Optimize.NONE
    return len(found[0].adapters) == 1 and options.target_format != "onnx" and options.routes != ALL and not beside


def _checked(options: ConvertOptions) -> ConvertOptions:
    """The options, the comparator chosen where fewer bits leave none. Raises UnusableInput for unknown ones."""
    if options.optimize not in OPTIMIZE:
        raise UnusableInput(f"--optimize {options.optimize}: unknown", f"one of {', '.join(OPTIMIZE)}")
    check_quantization(options)
    require_comparator(options.verify.comparator, str(Path.cwd()))
    require_metric(options.verify, options.data)
    if options.optimize != Optimize.NONE and _in_float(options) is options and options.verify.comparator is None:
        # fewer bits were requested, and a distance beyond rounding with them: what must stay are the labels
        options = replace(options, verify=replace(options.verify, comparator="top1"))
    return options


def _in_float(options: ConvertOptions) -> ConvertOptions:
    """The options of the float target that a reduced one is made of, by the strict comparison.

    The options as they are, where nothing is calibrated and no metric decides: then converters reduce on their way.
    """
    kind = Optimize(options.optimize)
    if kind is Optimize.NONE or not (kind.calibrated or options.verify.drop is not None):
        return options
    return replace(options, optimize=str(Optimize.NONE), verify=replace(options.verify, drop=None))


def _first_verified(
    run: Run, file: ModelFile, found: Sequence[Route], name: str, options: ConvertOptions, read: bool
) -> tuple[Source, list[Attempt]]:
    """The source, evaluated, and what became of the routes; its ONNX form is first read from the file, where that `read` says so.

    The first route begins while the source runs, as soon as it needs no more than is there, unless times are compared or its converter declares
    that it refuses the source.
    """
    early: list[PrefetchedRoute] = []
    first = RouteRun(found[0], model_request(file.path, options.model), None, None, name, options)
    ready: list[RouteRun] = []

    def begin(job: RouteRun) -> None:
        if options.routes != ALL and not early and not declared_obstacle(run, job):
            early.append(PrefetchedRoute(run.threads.submit(convert_along, run, job), time.monotonic()))

    def opened(request: ModelRequest, signature: Signature) -> None:
        ready.append(replace(first, model=request, signature=signature))
        if not first.last or ready[0].may_stay_open:  # else its first step may be the source's ONNX form
            begin(ready[0])

    def formed(exported: Export) -> None:
        begin(replace(ready[0], exported=exported))

    try:
        source_options = SourceOptions(
            options.model, options.data, options.verify, options.opset, read=read, proven=True
        )
        source = evaluate_source(
            run, file, source_options, opened,
            found[0].names[0] if len(found[0].adapters) == 1 else "", name, formed,
        )  # fmt: skip
    except BaseException as error:
        for position, adapter in enumerate(found[0].adapters):
            run.pool.worker(role_of(found[0], position), adapter.python).abandon()
        if isinstance(error, UnusableInput):
            refuse_undefined(run, file, options, found, name)
        raise
    return source, try_routes(run, found, source, first, early[0] if early else None)


def _with_obstacles(run: Run, conversion: Conversion) -> Conversion:
    """What was in the way, and what adapters that are not installed would have offered, where no target verified."""
    if conversion.exit_code is ExitCode.VERIFIED:
        return conversion
    source, options = conversion.source, conversion.options
    offered = offers(source.file.format, options.target_format, run.adapters, run.missing)
    none = conversion.exit_code is ExitCode.NO_ROUTE
    blamed = obstacles(run, source, conversion.attempts) if none else ()
    reason = conversion.reason
    if blamed:
        several = len({one.operator for one in blamed}) > 1
        end = "no route gets past all of them" if several else "no converter expresses it"
        reason = f"{described(blamed, source.file.format)}: {end}; {reason}"
    outside = host_code(run, source.file, options) if none else ""
    if outside:
        reason = f"{outside}; {reason}"
    return replace(conversion, offers=offered, obstacles=blamed, reason=reason)


def _require_formats(file: ModelFile, options: ConvertOptions) -> None:
    if options.source_format and file.format != options.source_format:
        raise UnusableInput(
            f"{file.named}: holds a {file.format} model ({file.variant}), not a {options.source_format} one",
            f"use {file.format}2{options.target_format}, or convert --to {options.target_format}",
        )
    if file.format == options.target_format:
        raise UnusableInput(f"{file.named}: is a {file.format} model already", "choose another target format")
