"""The plain API: `safeconvert.convert` and `safeconvert.verify`.

Both do what the commands of these names do, and raise where those exit with another code than 0. Settings come from the
arguments, else from the project's settings file as on the command line, else from the defaults.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

from safeconvert.app import runs
from safeconvert.app.report_file import BESIDE, reporting
from safeconvert.app.side_files import side_files
from safeconvert.cli.project_defaults import known_flags
from safeconvert.compare.layout import Override
from safeconvert.config.check_options import Checks, Inputs, Shape
from safeconvert.config.options import ConvertOptions, ModelOptions, VerifyOptions
from safeconvert.config.project_file import flag_values, open_project
from safeconvert.config.settings import Settings, load_settings
from safeconvert.core.progress import Phases
from safeconvert.errors import ExitCode, NoRoute, NotEquivalent, NoVerdict, SafeconvertError
from safeconvert.report.outcome import Outcome

Place = str | PathLike[str]


def convert(
    source: Place,
    to: str,
    *,
    output: Place | None = None,
    inputs: Inputs | None = None,
    preprocessing: str | None = None,
    target_preprocessing: str | None = None,
    bake_preprocessing: bool | None = None,
    samples: int | None = None,
    seed: int | None = None,
    input_shape: Shape | Mapping[str, Shape] | None = None,
    input_range: Mapping[str, tuple[int, int]] | None = None,
    model: str | None = None,
    trust_pickle: bool | None = None,
    route: str | None = None,
    routes: int | str | None = None,
    opset: int | None = None,
    optimize: str | None = None,
    allow_select_tf_ops: bool | None = None,
    comparator: str | None = None,
    rtol: float | None = None,
    atol: float | None = None,
    tolerance: Mapping[str, tuple[float, float]] | None = None,
    top_k: int | None = None,
    max_discrepancy: float | None = None,
    target_layout: Override | Mapping[str, Override] | None = None,
    repair: bool | None = None,
    keep_precision: bool | None = None,
    key: Place | None = None,
    junit: Place | None = None,
    model_explorer: Place | None = None,
    report: Place | bool | None = None,
    timeout: float | None = None,
    memory: int | None = None,
    config: Place | None = None,
) -> Outcome:
    """Convert a model file, verify the target in its own framework, repair it where that is needed, and certify it.

    Args:
        source: model file or SavedModel folder; its format is told by its content.
        to: `torch`, `keras`, `tf`, `tflite` or `onnx`.
        output: where the target goes; None puts it beside the source.
        model: `package.module:callable` that builds the module of a bare state_dict.
        trust_pickle: let code inside the model file run on load.
        route: converters by name, comma separated; None tries the known routes in order until one verifies.
        routes: how many at most; `all` tries each of them and keeps the best that verified (see `safeconvert.portfolio`).
        opset: ONNX opset to export with.
        optimize: TFLite only: `none`, `default` (8-bit weights) or `float16`.
        allow_select_tf_ops: TFLite only: operators that TFLite lacks may stay TensorFlow's.
        repair: False only says what is wrong with a target that is not equivalent.
        keep_precision: never give a reduced target its bits back; only say which layers the loss comes from.
        target_preprocessing: preset or TOML file that the target's deployment applies.
        bake_preprocessing: build the source's preprocessing into the target.
        junit: write JUnit XML here, whatever the verdict; ends in .xml.
        model_explorer: write the error of every node here, for Model Explorer; ends in .json.
        report: write the HTML page of the run here, whatever the verdict; True puts it beside the target.
        config: settings file; None takes the nearest safeconvert.toml from the working directory upwards.
        inputs, preprocessing, samples, seed, input_shape, input_range, comparator, rtol, atol, tolerance, top_k,
            max_discrepancy, target_layout, key, timeout, memory: see `safeconvert.checks.Checks`.

    Returns:
        What came of it: `target` and `certificate` are paths, `predicate` is the certificate's content.

    Raises:
        NotEquivalent: no target is the same function; its `certificate` says where they differ. Nothing is at `output`.
        NoRoute: no converter could make the target.
        NoVerdict: the question could not be answered.
        UnusableInput: a file, option or input that cannot be used.
    """
    given = Checks(
        inputs, preprocessing, samples, seed, input_shape, input_range, comparator, rtol, atol, tolerance, top_k,
        max_discrepancy, target_layout, key, timeout, memory,
    )  # fmt: skip
    checks, settings, flags = resolve(given, "convert", config)
    own = _over(flags, output=output, model=model, trust_pickle=trust_pickle, route=route, routes=routes, opset=opset,
                optimize=optimize, repair=repair, keep_precision=keep_precision, bake_preprocessing=bake_preprocessing,
                target_preprocessing=target_preprocessing, junit=junit, model_explorer=model_explorer, report=report,
                allow_select_tf_ops=allow_select_tf_ops)  # fmt: skip
    explorer = _place(own.get("model_explorer"))
    settings = runs.with_limits(settings, None, None, own.get("allow_select_tf_ops"))
    with reporting(_page(own.get("report")), Path(source), makes=True) as reports, checks.data() as data:
        options = ConvertOptions(
            source=Path(source),
            target_format=to,
            output=Path(own["output"]) if own.get("output") else None,
            model=ModelOptions(checks.shapes(), own.get("model", ""), own.get("trust_pickle", False)),
            data=replace(data, target_preprocessing=own.get("target_preprocessing", "")),
            verify=checks.comparison(settings),
            layouts=checks.layouts(),
            route=own.get("route", ""),
            routes=str(own.get("routes", "")),
            opset=own.get("opset", 0),
            optimize=own.get("optimize", "none"),
            key=Path(checks.key) if checks.key else None,
            keep_precision=own.get("keep_precision", False),
            bake_preprocessing=own.get("bake_preprocessing", False),
            repair=own.get("repair", True),
            layer_errors=explorer is not None,
        )
        with side_files(options.source.name, _place(own.get("junit")), explorer, makes=True) as files:
            outcome = runs.run_convert(options, settings, Phases())
            files.outcome(outcome, options.source)
        outcome = reports.written(outcome)
    return verified(outcome)


def verify(
    source: Place,
    target: Place,
    *,
    inputs: Inputs | None = None,
    preprocessing: str | None = None,
    samples: int | None = None,
    seed: int | None = None,
    input_shape: Shape | Mapping[str, Shape] | None = None,
    input_range: Mapping[str, tuple[int, int]] | None = None,
    model: str | None = None,
    trust_pickle: bool | None = None,
    comparator: str | None = None,
    rtol: float | None = None,
    atol: float | None = None,
    tolerance: Mapping[str, tuple[float, float]] | None = None,
    top_k: int | None = None,
    max_discrepancy: float | None = None,
    target_layout: Override | Mapping[str, Override] | None = None,
    certificate: Place | None = None,
    key: Place | None = None,
    junit: Place | None = None,
    report: Place | bool | None = None,
    timeout: float | None = None,
    memory: int | None = None,
    config: Place | None = None,
) -> Outcome:
    """Hold a target that was converted elsewhere against its source.

    Args:
        source: the source model.
        target: the model converted from it.
        certificate: write the certificate here, also where they are not equivalent; None writes none.
        model, trust_pickle, junit, report, config, and all others: as for `convert`.

    Returns:
        What came of it, for a target that is equivalent.

    Raises:
        NotEquivalent: it is not the same function; its `certificate` holds the figures.
        NoVerdict: the question could not be answered.
        UnusableInput: a file, option or input that cannot be used.
    """
    given = Checks(
        inputs, preprocessing, samples, seed, input_shape, input_range, comparator, rtol, atol, tolerance, top_k,
        max_discrepancy, target_layout, key, timeout, memory,
    )  # fmt: skip
    checks, settings, flags = resolve(given, "verify", config)
    own = _over(flags, model=model, trust_pickle=trust_pickle, certificate=certificate, junit=junit,
                report=report)  # fmt: skip
    with reporting(_page(own.get("report")), Path(source), makes=False) as reports, checks.data() as data:
        options = VerifyOptions(
            source=Path(source),
            target=Path(target),
            model=ModelOptions(checks.shapes(), own.get("model", ""), own.get("trust_pickle", False)),
            data=data,
            verify=checks.comparison(settings),
            layouts=checks.layouts(),
            certificate=Path(own["certificate"]) if own.get("certificate") else None,
            key=Path(checks.key) if checks.key else None,
        )
        with side_files(options.target.name, _place(own.get("junit"))) as files:
            outcome = runs.run_verify(options, settings, Phases())
            files.outcome(outcome, options.source)
        outcome = reports.written(outcome)
    return verified(outcome)


def resolve(given: Checks, command: str, config: Place | None) -> tuple[Checks, Settings, dict[str, Any]]:
    """What was asked for, over what the settings file says for a command.

    Returns:
        The checks, the settings, and all flags of the file by Python name.
    """
    from safeconvert.cli.app import app

    project = open_project(Path(config) if config is not None else None)
    flags = flag_values(project, command, known_flags(app))
    checks = given.over(flags)
    settings = load_settings(project.path if project is not None else None)
    return checks, runs.with_limits(settings, checks.timeout, checks.memory), flags


def verified(outcome: Outcome, what: str = "") -> Outcome:
    """An outcome that is verified; raises for any other, with the certificate's content on NotEquivalent.

    Args:
        outcome: of a conversion or verification.
        what: what to call the target in messages; "" is its path.
    """
    if outcome.exit_code is ExitCode.VERIFIED:
        return outcome
    message, log = f"{what or outcome.target}: {outcome.reason}", str(outcome.log or "")
    if outcome.exit_code is ExitCode.NOT_EQUIVALENT:
        raise NotEquivalent(
            message,
            "look at its certificate for the faults, or say with rtol, atol or max_discrepancy what may differ",
            log,
            outcome.predicate,
            outcome.rejected,
        )
    kinds: dict[ExitCode, type[SafeconvertError]] = {ExitCode.NO_ROUTE: NoRoute, ExitCode.NO_VERDICT: NoVerdict}
    raise kinds[outcome.exit_code](message, "", log)


def _place(value: Place | None) -> Path | None:
    return Path(value) if value else None


def _page(asked: Place | bool | None) -> Path | None:
    """Where the page of a run goes, as `reporting` takes it."""
    if asked is None or isinstance(asked, bool):
        return BESIDE if asked else None
    return Path(asked)


def _over(flags: Mapping[str, Any], **given: object) -> dict[str, Any]:
    """A settings file's flags, with what was given in their place."""
    return {**flags, **{name: value for name, value in given.items() if value is not None}}
