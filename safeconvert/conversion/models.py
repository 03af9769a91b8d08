"""The models of a run: opened, exported to ONNX, and evaluated on the inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from safeconvert.adapter_api.protocol import WHOLE, ConvertRequest, ModelRequest
from safeconvert.config.options import ModelOptions
from safeconvert.conversion.step import run_step
from safeconvert.core.files import size_of
from safeconvert.core.formats import ModelFile, detect
from safeconvert.core.runtimes import Runtime
from safeconvert.core.signature import Signature
from safeconvert.core.text import first_line
from safeconvert.errors import AdapterFailure, SafeconvertError, UnusableInput
from safeconvert.registry.manifest import Adapter, exporters, framework
from safeconvert.workers.run import Run
from safeconvert.workers.session import Files, Session, open_session

_CAUSE = 300  # characters: an exception's name and the first line of its message


@dataclass(frozen=True)
class Evaluated:
    """A model that was run on all inputs: its signature, and the outputs' files chunk by chunk."""

    signature: Signature
    outputs: tuple[Mapping[str, Path], ...]


@dataclass(frozen=True)
class Export:
    """A native model's ONNX form, or why there is none.

    Attributes:
        adapter: the exporter that made it; "" where the model is ONNX itself or none worked.
        path: the ONNX file, or None.
        failure: why no exporter worked; "" otherwise.
        opset: ONNX opset requested of it; 0 left it to the exporter.
        file: the native file that it was read from, by `core.proof.READER` in the place of an exporter; else None.
    """

    adapter: str
    path: Path | None
    failure: str
    opset: int = 0
    file: Path | None = None


def model_request(path: Path, options: ModelOptions, candidates: Sequence[tuple[int, ...]] = ()) -> ModelRequest:
    """What a worker needs to open a model."""
    return ModelRequest(
        path=str(path),
        input_shapes=dict(options.input_shapes),
        candidate_shapes=tuple(candidates),
        factory=options.factory,
        trust_pickle=options.trust_pickle,
        search_path=str(Path.cwd()),
        part=options.part,
    )


def open_model(run: Run, role: str, format_name: str, request: ModelRequest) -> Session:
    """Load a model in a role's worker. Raises UnusableInput or AdapterFailure."""
    adapter = framework(format_name, run.adapters)
    if format_name == "tflite" and not request.runtime and run.settings.tflite.runtime != Runtime.LITERT:
        request = replace(request, runtime=run.settings.tflite.runtime)
    return open_session(run.pool.worker(role, adapter.python), adapter, request)


def open_given(run: Run, role: str, file: ModelFile, request: ModelRequest) -> Session:
    """Load a model that the user gave; whatever goes wrong there is an unusable input.

    Raises:
        UnusableInput: the file cannot be loaded, also where loading it kills the worker, or a part is asked for that
            its format does not have.
    """
    if request.part != WHOLE and file.format != "tf":
        raise UnusableInput(
            f"{file.named}: a signature, tags, or inputs and outputs to cut at can be chosen in TensorFlow models only",
            f"leave them out: this is a {file.format} model",
        )
    try:
        return open_model(run, role, file.format, request)
    except AdapterFailure as failure:
        raise UnusableInput(
            f"{file.named}: {failure.adapter} cannot load it: {failure.cause}",
            "the file is damaged, or of a version that this framework does not read",
            failure.log,
        ) from failure


def evaluate(run: Run, session: Session, chunks: Sequence[Files], title: str) -> Evaluated:
    """Run a model on all inputs. Raises AdapterFailure."""
    with run.phases.phase(title, len(chunks)) as advance:
        outputs = session.run(chunks, run.scratch, advance)
    return Evaluated(session.signature, tuple(outputs))


@dataclass(frozen=True)
class Wanted:
    """Which ONNX form is wanted.

    Attributes:
        side: `source` or `target`.
        opset: 0 leaves it to the exporter.
        converter: the exporter that converts the model to the target too; "" where none does. It is asked for the same in both places
            (sizes stay free), so that it is asked once, and target and ONNX form are one file.
        name: of the target that the converter makes. The form has it too: an .onnx may name the file of its weights, which is called after it.
    """

    side: str
    opset: int = 0
    converter: str = ""
    name: str = ""


def export(
    run: Run, role: str, format_name: str, request: ModelRequest, signature: Signature, wanted: Wanted
) -> Export:
    """Export a native model to ONNX with the first exporter that manages to. Never raises for an exporter's failure."""
    if format_name == "onnx":
        return Export("", Path(request.path), "", wanted.opset)
    failures = []
    for adapter in exporters(format_name, run.adapters, detect(request.path).variant, size_of(Path(request.path))):
        made = export_with(run, role, adapter, request, signature, wanted)
        if made.path is not None:
            return made
        failures.append(f"{adapter.name}: {made.failure}")
    return Export("", None, "; ".join(failures) or f"no exporter for {format_name}", wanted.opset)


def export_with(
    run: Run, role: str, adapter: Adapter, request: ModelRequest, signature: Signature, wanted: Wanted
) -> Export:
    """Export a native model to ONNX with one exporter. Never raises for the exporter's failure.

    Args:
        run, role, request, signature, wanted: as `export`.
        adapter: the exporter.
    """
    keep_open = adapter.name == wanted.converter
    target = run.folder("export") / (wanted.name if keep_open and wanted.name else f"{wanted.side}.onnx")
    step = ConvertRequest(request, str(target), signature, wanted.opset, keep_open=keep_open)
    try:
        with run.phases.phase(f"exporting the {wanted.side} to ONNX ({adapter.name})"):
            run_step(run, role, adapter, step)
    except (AdapterFailure, UnusableInput) as error:
        return Export("", None, cause_of(error), wanted.opset)
    return Export(adapter.name, target, "", wanted.opset)


def cause_of(error: SafeconvertError) -> str:
    """Why it failed, in one line."""
    return first_line(error.cause, _CAUSE)
