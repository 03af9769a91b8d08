"""The source of a run: opened, exported, and evaluated on the inputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.compare.discrepancy import Accumulator
from safeconvert.compare.settings import VerifySettings
from safeconvert.config.options import DataOptions, ModelOptions
from safeconvert.conversion.models import Evaluated, Export, evaluate, export, model_request, open_given
from safeconvert.core.formats import ModelFile
from safeconvert.core.signature import Signature
from safeconvert.errors import AdapterFailure, NoVerdict, UnusableInput
from safeconvert.inputs.store import Chunk
from safeconvert.verification import dataset
from safeconvert.verification.dataset import Dataset
from safeconvert.verification.native import against_export, compare, unchanged_contract
from safeconvert.verification.stability import stable_samples
from safeconvert.verification.types import ExporterCheck
from safeconvert.workers.run import Context
from safeconvert.workers.session import Session


@dataclass(frozen=True)
class Source:
    """The source model, evaluated: what every candidate is held against.

    Attributes:
        file: the model file.
        request: how it was opened.
        session: the opened model.
        data: the inputs.
        outputs: its native outputs.
        exported: its ONNX form.
        steering: numbers of the samples that may steer decisions.
        held_out: numbers of the samples that give the verdict.
        exporter: what became of the ONNX form; runs in the background.
    """

    file: ModelFile
    request: ModelRequest
    session: Session
    data: Dataset
    outputs: Evaluated
    exported: Export
    steering: np.ndarray
    held_out: np.ndarray
    exporter: Future[ExporterCheck]


@dataclass(frozen=True)
class SourceOptions:
    """How a source is opened, exported, fed and compared.

    Attributes:
        model, data, verify: of the command.
        opset: ONNX opset requested of its exporter; 0 leaves it to the exporter.
        candidates: shapes to try after those of the data, where the source declares none.
    """

    model: ModelOptions
    data: DataOptions
    verify: VerifySettings
    opset: int = 0
    candidates: Sequence[tuple[int, ...]] = ()


def evaluate_source(
    context: Context,
    file: ModelFile,
    options: SourceOptions,
    opened: Callable[[ModelRequest, Signature], None] = lambda request, signature: None,
) -> Source:
    """Open the source, export it, prepare the inputs and run it natively; its ONNX form runs in the background.

    Args:
        context: the surroundings.
        file: the source.
        options: how it is opened, exported, fed and compared.
        opened: told as soon as the source is loaded, so that other work can begin.

    Raises:
        UnusableInput: the model or the inputs cannot be used.
        NoVerdict: it gives other outputs on the same inputs, or no finite ones.
    """
    model, data_options, settings, opset = options.model, options.data, options.verify, options.opset
    request = model_request(file.path, model, (*dataset.shapes_suggested(data_options), *options.candidates))
    with context.phases.phase("loading the source"):
        session = open_given(context, "source", file, request)
    opened(request, session.signature)
    exported = export(context, "source", file.format, request, session.signature, opset, "source")
    if not session.alive:
        session = open_given(context, "source", file, request)  # an exporter took the worker down with it
    ranges = dataset.graph_ranges(context, session.signature, exported)
    data = dataset.prepare(context, data_options, session.signature, ranges)
    outputs = _run(context, session, data, settings)
    usable = _usable(file, outputs, data)
    if data.generated:
        usable = stable_samples(context, session, data, outputs, usable, settings)
    held_out = dataset.indices(data.split.held_out, usable)
    if not len(held_out):
        raise NoVerdict(f"{file.path}: gives NaN or Inf on every held-out input", "give other inputs with --inputs")
    exporter = context.threads.submit(
        against_export, context, outputs, exported, data.chunks, settings, held_out, "source"
    )
    steering = dataset.indices(data.split.steer, usable)
    return Source(file, request, session, data, outputs, exported, steering, held_out, exporter)


def _run(context: Context, session: Session, data: Dataset, settings: VerifySettings) -> Evaluated:
    """Outputs on all inputs; the first chunk is run twice to see that the model is a function."""
    feeds = [dict(chunk.arrays) for chunk in data.chunks]
    path = session.path
    try:
        outputs = evaluate(context, session, feeds, "running the source")
        again = session.run(feeds[:1], context.scratch)
    except AdapterFailure as failure:
        if failure.died:
            raise NoVerdict(f"{path}: {failure.adapter} cannot run it: {failure.cause}", "", failure.log) from failure
        raise UnusableInput(
            f"{path}: does not run on the inputs: {failure.cause}",
            "check the inputs' shapes and types, and --input-shape",
            failure.log,
        ) from failure
    first = Evaluated(outputs.signature, outputs.outputs[:1])
    repeated = Evaluated(outputs.signature, tuple(again))
    agreed = unchanged_contract(session.signature, session.signature)
    plain = replace(settings, comparator=None)  # whether it is a function is no matter of the user's comparator
    figures: Accumulator = compare(agreed, first, repeated, data.chunks[:1], plain)
    comparison = figures.result()
    if comparison.disagreements > comparison.nonfinite or comparison.beyond_tolerance > comparison.nonfinite:
        raise NoVerdict(
            f"{path}: gives other outputs on the same inputs (max-abs {comparison.max_abs:.3g}): not a function",
            "switch off dropout and random operators (model.eval()) and save it again",
        )
    return outputs


def _usable(file: ModelFile, outputs: Evaluated, data: Dataset) -> np.ndarray:
    """All samples of a user; of generated ones, those on which the source is finite (the others lie outside its domain)."""
    if not data.generated:
        return np.arange(data.inputs.count)
    usable = dataset.finite_samples(outputs, data.chunks)
    if not len(usable):
        raise NoVerdict(f"{file.path}: gives NaN or Inf on every generated input", "give real ones with --inputs")
    return usable


def chunks_for(data: Dataset, feeds: list[dict[str, Path]]) -> tuple[Chunk, ...]:
    """The chunks of a run, as another model is fed them."""
    return tuple(replace(chunk, arrays=feed) for chunk, feed in zip(data.chunks, feeds, strict=True))
