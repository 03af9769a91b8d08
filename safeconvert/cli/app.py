"""The command line: parse, call, print, exit code. No logic, and nothing heavy is imported before a command runs."""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from safeconvert.app.report_file import reporting, with_value
from safeconvert.cli import completion
from safeconvert.cli.adapters import adapters as adapters_command
from safeconvert.cli.attest import attest as attest_command
from safeconvert.cli.config import config as config_command
from safeconvert.cli.errors import people_errors as _people_errors
from safeconvert.cli.errors import run_program
from safeconvert.cli.explain import explain as explain_command
from safeconvert.cli.gate import gate as gate_command
from safeconvert.cli.options import (
    AtolOption,
    BakeOption,
    ComparatorOption,
    ConfigOption,
    InputsOption,
    JsonOption,
    JunitOption,
    KeepPrecisionOption,
    KeyOption,
    LayerAnalysisOption,
    LayoutOption,
    MaxDiscrepancyOption,
    MemoryOption,
    ModelExplorerOption,
    ModelOption,
    OpsetOption,
    OptimizeOption,
    OutputOption,
    PreprocessingOption,
    QuietOption,
    RangeOption,
    RepairOption,
    ReportOption,
    RouteOption,
    RoutesOption,
    RtolOption,
    SamplesOption,
    SeedOption,
    SelectTfOption,
    ShapeOption,
    SourceArgument,
    TargetPreprocessingOption,
    TimeoutOption,
    ToleranceOption,
    TopKOption,
    TrustOption,
    VerboseOption,
)
from safeconvert.cli.pack import pack as pack_command
from safeconvert.cli.project_defaults import use_project_everywhere
from safeconvert.cli.report import report as report_command
from safeconvert.errors import ExitCode

if TYPE_CHECKING:
    from safeconvert.compare.settings import VerifySettings
    from safeconvert.config.options import DataOptions, ModelOptions
    from safeconvert.config.settings import Settings
    from safeconvert.report.outcome import Outcome

_FORMATS = ("torch", "keras", "tf", "tflite", "onnx")
_TITLES = {"torch": "PyTorch", "keras": "Keras", "tf": "TensorFlow", "tflite": "TFLite", "onnx": "ONNX"}
_SUFFIX = {"torch": ".pt2", "keras": ".keras", "tf": "_saved_model", "tflite": ".tflite", "onnx": ".onnx"}
_EXIT_CODES = (
    "Exit codes: 0 verified · 1 not equivalent · 2 usage or unusable input · 3 no route could convert · 4 no verdict."
)

_TO = typer.Option("--to", help="torch, keras, tf, tflite or onnx.", autocompletion=completion.formats)
_CONTEXT: dict[str, Any] = {"help_option_names": ["-h", "--help"]}
app = typer.Typer(
    name="safeconvert",
    callback=use_project_everywhere,
    help="Convert deep-learning models with the real converters, and prove the target is still the same model.\n\n"
    + _EXIT_CODES,
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings=_CONTEXT,
)
_CONTEXT["obj"] = app  # for `cli_flags`, which reads the commands' flags off it


def _conversion_command(source_format: str, target_format: str) -> Callable[..., None]:
    """A command for one pair of formats; "" for a source told by content, or a target named with --to."""

    def command(
        source: SourceArgument,
        output: OutputOption = None,
        inputs: InputsOption = None,
        preprocessing: PreprocessingOption = "",
        target_preprocessing: TargetPreprocessingOption = "",
        bake_preprocessing: BakeOption = False,
        samples: SamplesOption = None,
        seed: SeedOption = None,
        input_shape: ShapeOption = None,
        input_range: RangeOption = None,
        model: ModelOption = "",
        trust_pickle: TrustOption = False,
        route: RouteOption = "",
        routes: RoutesOption = "",
        opset: OpsetOption = 0,
        optimize: OptimizeOption = "none",
        allow_select_tf_ops: SelectTfOption = False,
        comparator: ComparatorOption = "",
        rtol: RtolOption = None,
        atol: AtolOption = None,
        tolerance: ToleranceOption = None,
        top_k: TopKOption = None,
        max_discrepancy: MaxDiscrepancyOption = None,
        target_layout: LayoutOption = None,
        repair: RepairOption = True,
        keep_precision: KeepPrecisionOption = False,
        key: KeyOption = None,
        junit: JunitOption = None,
        model_explorer: ModelExplorerOption = None,
        report: ReportOption = None,
        timeout: TimeoutOption = None,
        memory: MemoryOption = None,
        config: ConfigOption = None,
        as_json: JsonOption = False,
        quiet: QuietOption = False,
        verbose: VerboseOption = False,
        to: Annotated[str, _TO] = target_format,
    ) -> None:
        with _people_errors(as_json), reporting(report, source, makes=True) as reports:
            from safeconvert.app import runs
            from safeconvert.app.side_files import side_files
            from safeconvert.config import parsing
            from safeconvert.config.options import ConvertOptions
            from safeconvert.config.settings import load_settings
            from safeconvert.core.progress import display

            settings = runs.with_limits(load_settings(config), timeout, memory, allow_select_tf_ops)
            options = ConvertOptions(
                source=source,
                target_format=to,
                output=output,
                model=_model_options(input_shape, model, trust_pickle),
                data=_data_options(inputs, preprocessing, samples, input_range, seed, target_preprocessing),
                verify=_verify_settings(settings, comparator, rtol, atol, tolerance, top_k, max_discrepancy),
                layouts=parsing.layouts(target_layout or []),
                route=route,
                routes=routes,
                opset=opset,
                optimize=optimize,
                key=key,
                keep_precision=keep_precision,
                bake_preprocessing=bake_preprocessing,
                repair=repair,
                source_format=source_format,
                layer_errors=model_explorer is not None,
            )
            with side_files(source.name, junit, model_explorer, makes=True) as files:
                with display(_live(quiet, as_json)) as phases:
                    outcome = runs.run_convert(options, settings, phases)
                unwritten = files.outcome(outcome, source)
            _print_outcome(reports.written(outcome), as_json, quiet, verbose, unwritten)
            raise typer.Exit(int(outcome.exit_code))

    return command


def _register_conversions() -> None:
    for source in _FORMATS:
        for target in _FORMATS:
            if source == target:
                continue
            name = f"{source}2{target}"
            text = (
                f"{_TITLES[source]} to {_TITLES[target]}, verified.\n\nExample: safeconvert {name} model "
                f"--inputs images/ --preprocessing torchvision -o model{_SUFFIX[target]}"
            )
            command = _conversion_command(source, target)
            command.__signature__ = _signature_without(command, "to")  # type: ignore[attr-defined]
            app.command(name, help=text, epilog=_EXIT_CODES)(command)
    anything = _conversion_command("", "")
    anything.__signature__ = inspect.signature(anything, eval_str=True)  # type: ignore[attr-defined]
    app.command(
        "convert",
        help="Convert a model whose format is told by its content.\n\nExample: safeconvert convert model.pt --to keras",
        epilog=_EXIT_CODES,
    )(anything)


def _signature_without(command: Callable[..., None], name: str) -> inspect.Signature:
    """A function's signature less one parameter, whose default stays in force."""
    signature = inspect.signature(command, eval_str=True)
    return signature.replace(parameters=[p for p in signature.parameters.values() if p.name != name])


_register_conversions()


@app.command(epilog=_EXIT_CODES)
def verify(
    source: SourceArgument,
    target: Annotated[Path, typer.Argument(help="The model converted from it.", show_default=False)],
    inputs: InputsOption = None,
    preprocessing: PreprocessingOption = "",
    samples: SamplesOption = None,
    seed: SeedOption = None,
    input_shape: ShapeOption = None,
    input_range: RangeOption = None,
    model: ModelOption = "",
    trust_pickle: TrustOption = False,
    comparator: ComparatorOption = "",
    rtol: RtolOption = None,
    atol: AtolOption = None,
    tolerance: ToleranceOption = None,
    top_k: TopKOption = None,
    max_discrepancy: MaxDiscrepancyOption = None,
    target_layout: LayoutOption = None,
    certificate: Annotated[Path | None, typer.Option("--certificate", help="Write the certificate here.")] = None,
    key: KeyOption = None,
    junit: JunitOption = None,
    report: ReportOption = None,
    timeout: TimeoutOption = None,
    memory: MemoryOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Hold a target that was converted elsewhere against its source.

    Example: safeconvert verify model.pt model.tflite --inputs images/ --preprocessing torchvision
    """
    with _people_errors(as_json), reporting(report, source, makes=False) as reports:
        from safeconvert.app import runs
        from safeconvert.app.side_files import side_files
        from safeconvert.config import parsing
        from safeconvert.config.options import VerifyOptions
        from safeconvert.config.settings import load_settings
        from safeconvert.core.progress import display

        settings = runs.with_limits(load_settings(config), timeout, memory)
        options = VerifyOptions(
            source=source,
            target=target,
            model=_model_options(input_shape, model, trust_pickle),
            data=_data_options(inputs, preprocessing, samples, input_range, seed),
            verify=_verify_settings(settings, comparator, rtol, atol, tolerance, top_k, max_discrepancy),
            layouts=parsing.layouts(target_layout or []),
            certificate=certificate,
            key=key,
        )
        with side_files(target.name, junit) as files:
            with display(_live(quiet, as_json)) as phases:
                outcome = runs.run_verify(options, settings, phases)
            files.outcome(outcome, source)
        _print_outcome(reports.written(outcome), as_json, quiet, verbose)
        raise typer.Exit(int(outcome.exit_code))


def _mending_command(repairs: bool) -> Callable[..., None]:
    """`repair`, or `localize`, which has no output."""

    def command(
        source: SourceArgument,
        target: Annotated[Path, typer.Argument(help="The model converted from it.", show_default=False)],
        output: OutputOption = None,
        inputs: InputsOption = None,
        preprocessing: PreprocessingOption = "",
        target_preprocessing: TargetPreprocessingOption = "",
        bake_preprocessing: BakeOption = False,
        samples: SamplesOption = None,
        seed: SeedOption = None,
        input_shape: ShapeOption = None,
        input_range: RangeOption = None,
        model: ModelOption = "",
        trust_pickle: TrustOption = False,
        comparator: ComparatorOption = "",
        rtol: RtolOption = None,
        atol: AtolOption = None,
        tolerance: ToleranceOption = None,
        top_k: TopKOption = None,
        max_discrepancy: MaxDiscrepancyOption = None,
        target_layout: LayoutOption = None,
        layer_analysis: LayerAnalysisOption = "",
        keep_precision: KeepPrecisionOption = False,
        key: KeyOption = None,
        junit: JunitOption = None,
        model_explorer: ModelExplorerOption = None,
        report: ReportOption = None,
        timeout: TimeoutOption = None,
        memory: MemoryOption = None,
        config: ConfigOption = None,
        as_json: JsonOption = False,
        quiet: QuietOption = False,
        verbose: VerboseOption = False,
    ) -> None:
        with _people_errors(as_json), reporting(report, source, makes=repairs) as reports:
            from safeconvert.app import runs
            from safeconvert.app.side_files import side_files
            from safeconvert.config import parsing
            from safeconvert.config.options import ConvertOptions
            from safeconvert.config.settings import load_settings
            from safeconvert.core.progress import display

            settings = runs.with_limits(load_settings(config), timeout, memory)
            if repairs and output is None:
                output = target.with_name(f"{target.stem}.repaired{target.suffix}")
            options = ConvertOptions(
                source=source,
                target_format="",
                output=output,
                model=_model_options(input_shape, model, trust_pickle),
                data=_data_options(inputs, preprocessing, samples, input_range, seed, target_preprocessing),
                verify=_verify_settings(settings, comparator, rtol, atol, tolerance, top_k, max_discrepancy),
                layouts=parsing.layouts(target_layout or []),
                key=key,
                repair=repairs,
                layer_analysis=layer_analysis,
                keep_precision=keep_precision,
                bake_preprocessing=bake_preprocessing,
                layer_errors=model_explorer is not None,
            )
            with side_files(target.name, junit, model_explorer, makes=repairs) as files:
                with display(_live(quiet, as_json)) as phases:
                    outcome = runs.run_mend(options, target, settings, phases)
                unwritten = files.outcome(outcome, source)
            _print_outcome(reports.written(outcome), as_json, quiet, verbose, unwritten)
            raise typer.Exit(int(outcome.exit_code))

    return command


def _register_mending() -> None:
    command = _mending_command(repairs=True)
    command.__signature__ = inspect.signature(command, eval_str=True)  # type: ignore[attr-defined]
    app.command(
        "repair",
        help="Repair a target that was converted elsewhere, in its native file, and verify it again.\n\n"
        "Example: safeconvert repair model.pt model.tflite -o fixed.tflite --inputs images/",
        epilog=_EXIT_CODES,
    )(command)
    command = _mending_command(repairs=False)
    signature = _signature_without(command, "output")
    command.__signature__ = signature.replace(  # type: ignore[attr-defined]
        parameters=[parameter for parameter in signature.parameters.values() if parameter.name != "key"]
    )
    app.command(
        "localize",
        help="Name the nodes at which a target that was converted elsewhere differs from its source.\n\n"
        "Example: safeconvert localize model.pt model.tflite --inputs images/ --preprocessing torchvision",
        epilog=_EXIT_CODES,
    )(command)


_register_mending()


@app.command()
def check(
    certificate: Annotated[Path, typer.Argument(help="A .certificate.json.", show_default=False)],
    public_key: Annotated[Path | None, typer.Option("--public-key", help="Ed25519 public key to verify with.")] = None,
    target_only: Annotated[bool, typer.Option("--target-only", help="Do not ask for the source file.")] = False,
    as_json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Re-hash the files that a certificate names, and say whether they are still what was certified.

    Exit code 0: unchanged; 1: something changed, is missing, or is not signed as asked; 2: not a certificate.

    Example: safeconvert check model.keras.certificate.json --public-key release.pub
    """
    with _people_errors(as_json):
        from safeconvert.certificate.check import check as check_certificate
        from safeconvert.report import terminal

        report = check_certificate(certificate, public_key, target_only=target_only)
        if as_json:
            typer.echo(json.dumps(terminal.check_json(report)))
        elif not quiet or not report.ok:
            terminal.print_check(report, certificate)
        raise typer.Exit(0 if report.ok else int(ExitCode.NOT_EQUIVALENT))


@app.command()
def show(
    certificate: Annotated[Path, typer.Argument(help="A .certificate.json.", show_default=False)],
    public_key: Annotated[Path | None, typer.Option("--public-key", help="Ed25519 public key to verify with.")] = None,
    junit: JunitOption = None,
    model_explorer: ModelExplorerOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print a certificate for a person, or with --json for a program; or write what other tools read.

    Example: safeconvert show model.keras.certificate.json --json
    """
    with _people_errors(as_json):
        from safeconvert.certificate.check import read_certificate
        from safeconvert.report import terminal

        content = read_certificate(certificate, public_key)
        if junit is not None or model_explorer is not None:
            from safeconvert.app.side_files import write_from

            write_from(certificate, content, junit, model_explorer)
        if as_json:
            typer.echo(json.dumps(content, sort_keys=True))
        else:
            terminal.print_certificate(content)


@app.command()
def keygen(
    path: Annotated[Path, typer.Argument(help="Where the private key goes; the public one goes to PATH.pub.")],
    elliptic: Annotated[bool, typer.Option("--ec", help="A P-256 key for attest --ec-key.")] = False,
) -> None:
    """Make an Ed25519 key pair for --key and --public-key.

    Example: safeconvert keygen release
    """
    with _people_errors(False):
        from safeconvert.certificate.keys import generate_key

        generate_key(path, elliptic)
        typer.echo(f"private key: {path}\npublic key:  {path}.pub")


@app.command()
def demo(
    folder: Annotated[Path, typer.Option("--folder", help="Where the files go.")] = Path("safeconvert-demo"),
    as_json: JsonOption = False,
) -> None:
    """Train a small CNN on handwritten digits, convert it from PyTorch to Keras, and verify it on held-out digits.

    Example: safeconvert demo --folder build/demo
    """
    with _people_errors(as_json):
        from safeconvert.app.demo import run_demo
        from safeconvert.config.settings import load_settings
        from safeconvert.core.progress import display
        from safeconvert.report import terminal

        with display(_live(False, as_json)) as phases:
            made = run_demo(folder, load_settings(), phases)
        if as_json:
            typer.echo(json.dumps(made.outcome.to_json()))
        else:
            terminal.print_demo(made)
        raise typer.Exit(int(made.outcome.exit_code))


app.command("adapters")(adapters_command)
app.command()(config_command)
app.command()(report_command)
app.command("gate")(gate_command)
app.command()(attest_command)
app.command("pack")(pack_command)
app.command()(explain_command)


def _model_options(input_shape: list[str] | None, model: str, trust_pickle: bool) -> ModelOptions:
    from safeconvert.config import parsing
    from safeconvert.config.options import ModelOptions

    return ModelOptions(parsing.shapes(input_shape or []), model, trust_pickle)


def _data_options(
    inputs: Path | None,
    preprocessing: str,
    samples: int | None,
    input_range: list[str] | None,
    seed: int | None,
    target_preprocessing: str = "",
) -> DataOptions:
    from safeconvert.config import parsing
    from safeconvert.config.options import DataOptions

    return DataOptions(inputs, preprocessing, samples, parsing.ranges(input_range or []), seed, target_preprocessing)


def _verify_settings(
    settings: Settings,
    comparator: str,
    rtol: float | None,
    atol: float | None,
    tolerance: list[str] | None,
    top_k: int | None,
    max_discrepancy: float | None,
) -> VerifySettings:
    """The configuration's comparison, with what the command line says instead."""
    from safeconvert.compare.settings import Tolerance, VerifySettings
    from safeconvert.config import parsing

    configured = settings.verify
    return VerifySettings(
        comparator=comparator or None,
        tolerance=Tolerance(configured.rtol if rtol is None else rtol, configured.atol if atol is None else atol),
        tolerances=parsing.tolerances(tolerance or []),
        top_k=top_k or configured.top_k,
        max_discrepancy=configured.max_discrepancy if max_discrepancy is None else max_discrepancy,
        cosine_threshold=configured.cosine_threshold,
    )


def _live(quiet: bool, as_json: bool) -> bool:
    """Whether to show progress: only to a person at a terminal."""
    return not quiet and not as_json and sys.stderr.isatty()


def _print_outcome(outcome: Outcome, as_json: bool, quiet: bool, verbose: bool, unwritten: Sequence[str] = ()) -> None:
    from safeconvert.report import terminal

    if as_json:
        typer.echo(json.dumps(outcome.to_json()))
    elif not quiet or outcome.exit_code is not ExitCode.VERIFIED:
        terminal.print_outcome(outcome, verbose, sys.argv[1:])
    for line in unwritten:
        typer.echo(line, err=True)


def main() -> None:
    """Entry point of the `safeconvert` command."""
    run_program(lambda: app(with_value(sys.argv[1:])))
