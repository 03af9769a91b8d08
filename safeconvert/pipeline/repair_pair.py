"""The repair of an existing conversion: its target verified, its faults localized, and repaired where that is requested."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from safeconvert.compare.custom import require_comparator
from safeconvert.compare.layout import LayoutMismatch
from safeconvert.config.options import LAYER_ANALYSIS, ConvertOptions
from safeconvert.core import paths
from safeconvert.core.faults import FaultKind
from safeconvert.core.formats import ModelFile, detect
from safeconvert.errors import AdapterFailure, ExitCode, NoVerdict, UnusableInput
from safeconvert.pipeline.export_stage import explain_exports
from safeconvert.pipeline.proposals import verify_proposals
from safeconvert.pipeline.quantize_checks import require_evidence, require_metric
from safeconvert.pipeline.quantize_stage import Quantized
from safeconvert.pipeline.repair_stage import repair_target
from safeconvert.pipeline.requantize import requantized
from safeconvert.pipeline.results import Attempt, Compared, Conversion, Incomparable, of_part
from safeconvert.pipeline.steps import (
    check_deployment,
    conclude,
    existing_pair,
    open_existing,
    shapes_of_target,
    warm,
    with_embedded_preprocessing,
    with_layer_errors,
)
from safeconvert.registry.manifest import framework
from safeconvert.registry.routes import Route
from safeconvert.repair.preprocessing import agreeing_presets, check_preprocessing
from safeconvert.repair.types import PreprocessingFault
from safeconvert.verification.interface import require_sizes
from safeconvert.verification.pair import Pair
from safeconvert.verification.part import take_part
from safeconvert.verification.rounding import accept_export_rounding
from safeconvert.verification.snapshot import admit, snapshot
from safeconvert.verification.source import Source, SourceOptions, evaluate_source
from safeconvert.verification.target import verify_target
from safeconvert.workers.run import Run


@dataclass(frozen=True)
class _Tried:
    """What became of the target so far.

    Attributes:
        attempts: the target, and repairs of it.
        deployed: what its deployment feeds it otherwise.
        anew: files in integers that were quantised anew in its place; None where none were.
    """

    attempts: list[Attempt]
    deployed: PreprocessingFault | None = None
    anew: Quantized | None = None


def repaired_destination(options: ConvertOptions, given: Path) -> Path:
    """The output path of a repair of an existing target.

    Raises:
        UnusableInput: the target is none, or a place that cannot be written or holds the target or the source.
    """
    file = detect(given)
    path = paths.output_path(file.path, file.format, options.output)
    paths.require_apart(options.source.absolute(), path)
    return path


def repair_pair(run: Run, options: ConvertOptions, given: Path) -> tuple[Conversion, ModelFile]:
    """Compare an existing target with its source; localize its faults, and repair them where the options ask for it.

    To publish what is verified, repaired or not, is the caller's; nothing is where only localization is requested.

    Args:
        run: the surroundings.
        options: as for a conversion; `target_format` is the existing target's.
        given: the target.

    Returns:
        What it came to, and the existing target as it was copied.

    Raises:
        UnusableInput, NotEquivalent, NoVerdict: as `verify_pair`.
    """
    require_comparator(options.verify.comparator, str(Path.cwd()))
    require_metric(options.verify, options.data)
    if options.layer_analysis not in ("", *LAYER_ANALYSIS):
        raise UnusableInput(
            f"--layer-analysis {options.layer_analysis}: unknown", f"one of {', '.join(LAYER_ANALYSIS)}"
        )
    file, target_file = detect(options.source), detect(given)
    options = replace(options, target_format=target_file.format)
    target = repaired_destination(options, given) if options.repair else given.absolute()
    admit(run, options.model)
    file, target_file = take_part(run, snapshot(run, file), options.model), snapshot(run, target_file)
    warm(run, "target", framework(target_file.format, run.adapters))
    shapes = shapes_of_target(run, file, target_file, options)
    source = evaluate_source(run, file, SourceOptions(options.model, options.data, options.verify, candidates=shapes))
    if options.verify.drop is not None:
        require_evidence(run, source, options.verify, options.data)
    tried, source = _repaired(run, source.settled(), target_file, options)
    exporter = accept_export_rounding(run, source.exporter.result(), tried.attempts[-1].verification)
    exit_code, reason = conclude(tried.attempts)
    if tried.deployed is not None and exit_code is ExitCode.VERIFIED and not options.repair:
        exit_code, reason = (
            ExitCode.NOT_EQUIVALENT,
            f"fed otherwise than the source: {tried.deployed.fault.evidence}",
        )
    if tried.anew is not None:
        options = replace(options, verify=tried.anew.settings)
    conversion = Conversion(
        options, source, target, None, tuple(tried.attempts), exporter, exit_code, of_part(file, reason), tried.deployed,
        quantization=tried.anew.record if tried.anew is not None else None,
    )  # fmt: skip
    return with_layer_errors(run, conversion), target_file


def _repaired(run: Run, source: Source, file: ModelFile, options: ConvertOptions) -> tuple[_Tried, Source]:
    """The target as it is, and repairs of it as far as the first that verifies; the source, its exporter's faults named."""
    tried = _as_it_is(run, source, file, options)
    source, attempts = explain_exports(run, source, tried.attempts, options.verify, repair=True)
    deployed = tried.deployed
    if not attempts[-1].verified:
        found = requantized(run, attempts[-1], source, options)
        attempts = [*attempts[:-1], found.wrong]
        if found.anew is not None and found.anew.attempts[-1].verified and options.repair:
            return _Tried([*attempts, *found.anew.attempts], deployed, found.anew), found.anew.source
        if found.anew is None or found.wrong.diagnosis is None:
            source, attempts = repair_target(run, attempts, source, options)
    if attempts[-1].verified and deployed is None and isinstance(attempts[0].result, Incomparable):
        deployed = check_deployment(run, source, attempts[-1], options)
    if attempts[-1].verified and options.repair and options.bake_preprocessing:
        attempts = with_embedded_preprocessing(run, attempts, source, options)
    return _Tried(attempts, deployed), source


def _as_it_is(run: Run, source: Source, file: ModelFile, options: ConvertOptions) -> _Tried:
    """The target compared with its source, under the source's preprocessing and under others.

    Raises:
        NoVerdict: it does not run.
    """
    opened = open_existing(run, file, source, options)
    route = Route((), (source.file.format, file.format))
    try:
        pair = existing_pair(source, opened, options)
        require_sizes(source, pair.contract)
    except LayoutMismatch as mismatch:
        return _Tried([Attempt(route, Incomparable(mismatch.message, opened.candidate, opened.session.signature))])
    try:
        return _fed(run, pair, route, options)
    except AdapterFailure as failure:
        raise NoVerdict(
            f"{file.named}: does not run on the source's inputs: {failure.cause}", "", failure.log
        ) from failure


def _fed(run: Run, pair: Pair, route: Route, options: ConvertOptions) -> _Tried:
    """The target under the source's preprocessing, its deployment's, and the known presets'."""
    verification = verify_target(run, pair, options.verify)
    deployed = check_preprocessing(run, pair, options.data, options.verify, verification.native)
    first = Attempt(route, Compared(pair.target.candidate, verification))
    if first.verified or FaultKind.PREPROCESSING not in run.settings.repair.strategies:
        return _Tried([first], deployed)
    presets = agreeing_presets(run, pair, options.data, options.verify)
    # a preset that only agreed on a few images proves nothing
    right = [attempt for attempt in verify_proposals(run, presets, route, options) if attempt.verified]
    found = next((one.origin.preprocessing for one in right if one.origin is not None), None)
    return _Tried([first, *right], found or deployed)
