"""Where an exporter left its native model, by the model's own layers; and an ONNX form that did not, to work on instead.

Where a model's ONNX form is another function, neither it nor what was made of it can be localized or repaired by it. The native
model's own inner tensors tell at which layer the form leaves it; another exporter's graph, the one that our own reader makes of the
file, or the form with nodes of either at these layers, takes its place where it is verified to be the native model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from safeconvert.adapter_api.feeding import fixed_batch
from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.compare.settings import VerifySettings
from safeconvert.conversion.models import Evaluated, Export, Wanted, evaluate, export_with, open_model
from safeconvert.core.arrays import save_array
from safeconvert.core.faults import ExporterVerdict
from safeconvert.core.formats import detect
from safeconvert.core.proof import READER
from safeconvert.core.signature import Signature
from safeconvert.errors import AdapterFailure, SafeconvertError, UnusableInput
from safeconvert.inputs.store import Chunk
from safeconvert.localize.findings import ExportFault
from safeconvert.registry.manifest import exporters
from safeconvert.repair.engine.export_problem import ExportProblem, OnnxForm
from safeconvert.verification.form_check import against_export
from safeconvert.verification.native import compare, unchanged_contract
from safeconvert.verification.native_forms import read_again
from safeconvert.verification.source import Source
from safeconvert.verification.types import Counted, ExporterCheck, Verification
from safeconvert.workers.engine import call_engine
from safeconvert.workers.run import Run
from safeconvert.workers.session import Session

_WORDS = "with nodes of"
_ROWS = 3
"""Rows of a call where the batch is free: nodes of an exporter that has fixed the batch at 1 or 2 do not run on them."""


@dataclass(frozen=True)
class NativeSide:
    """A native model beside its ONNX form.

    Attributes:
        role: `source` or `target`.
        request: how it is opened.
        session: the opened model.
        chunks: the inputs, as it is fed.
        outputs: its own.
        exported: its ONNX form.
        check: how that compares with it.
        steering: numbers of the samples that may steer decisions.
        counted: the samples that give verdicts.
    """

    role: str
    request: ModelRequest
    session: Session
    chunks: Sequence[Chunk]
    outputs: Evaluated
    exported: Export
    check: ExporterCheck
    steering: np.ndarray
    counted: Counted


@dataclass(frozen=True)
class Reference:
    """An ONNX form that is its native model."""

    exported: Export
    check: ExporterCheck


def source_side(source: Source) -> NativeSide:
    """The source beside its ONNX form."""
    return NativeSide(
        "source", source.request, source.session, source.data.chunks, source.outputs, source.exported,
        source.exporter.result(), source.steering, Counted(source.held_out, source.joined),
    )  # fmt: skip


def target_side(
    session: Session, request: ModelRequest, chunks: Sequence[Chunk], source: Source, verification: Verification
) -> NativeSide:
    """A target beside its ONNX form.

    Args:
        session, request: the opened target.
        chunks: the source's inputs, as the target is fed them.
        source: what it was compared with.
        verification: of the target.
    """
    return NativeSide(
        "target", request, session, chunks, verification.outputs, verification.exported, verification.exporter,
        source.steering, Counted(source.held_out, source.joined),
    )  # fmt: skip


def widened(run: Run, side: NativeSide, shown: Sequence[Chunk], settings: VerifySettings) -> NativeSide:
    """A model beside its ONNX form on further inputs, which steer and count; the check is on these alone.

    Args:
        run: the surroundings.
        side: the model.
        shown: the inputs, as it is fed, numbered from 0.
        settings: what counts as equal.

    Raises:
        AdapterFailure: it does not run on them.
    """
    last = side.chunks[-1].stop
    added = tuple(replace(one, start=one.start + last, stop=one.stop + last) for one in shown)
    numbers = np.arange(last, added[-1].stop)
    session = _alive(run, side)
    given = evaluate(run, session, [dict(one.arrays) for one in shown], f"running the {side.role} on what was searched")
    own = side.outputs.outputs[: len(side.chunks)]
    wide = replace(
        side,
        session=session,
        chunks=(*side.chunks, *added),
        outputs=replace(side.outputs, outputs=(*own, *given.outputs)),
        steering=np.union1d(side.steering, numbers),
        counted=Counted(np.union1d(side.counted.held_out, numbers), side.counted.joined),
    )
    alone = Counted(numbers, numbers[:0])
    check = against_export(run, wide.outputs, wide.exported, wide.chunks, settings, alone, side.role)
    return replace(wide, check=check)


def explain_export(
    run: Run, side: NativeSide, settings: VerifySettings, repair: bool
) -> tuple[ExporterCheck, Reference | None]:
    """The check of an exporter with its faults, and a right ONNX form, where one is found or put together.

    Args:
        run: the surroundings.
        side: a native model and an ONNX form that is not it.
        settings: what counts as equal.
        repair: False only localizes.
    """
    check = side.check
    others = _other_forms(run, side, settings) if repair else []
    answer = None
    try:
        with run.phases.phase(f"localizing the exporter's fault ({side.role})"):
            answer = _explained(run, side, others, settings)
    except SafeconvertError as error:
        check = replace(check, unlocalized=_line(error))
    if answer is not None:
        check = replace(check, faults=tuple(ExportFault.from_json(one) for one in answer["faults"]))
    right = next((form for form in others if form.check.verdict is ExporterVerdict.EQUAL), None)
    if right is None and answer is not None and answer["assembled"]:
        names = ", ".join(dict.fromkeys(fault.replaced for fault in check.faults))
        right = _verified(
            run, side, Export(f"{check.adapter} {_WORDS} {names}", Path(answer["assembled"]), ""), settings
        )
    return check, right


def _other_forms(run: Run, side: NativeSide, settings: VerifySettings) -> list[Reference]:
    """The ONNX forms that other exporters make, and the one that is read from the file, each compared with the native model."""
    model_format = side.session.adapter.format
    found = []
    for adapter in exporters(model_format, run.adapters, detect(side.request.path).variant):
        if adapter.name == side.check.adapter:
            continue
        exported = export_with(run, "convert", adapter, side.request, side.session.signature, Wanted(side.role))
        if exported.path is None:
            continue
        found.append(Reference(exported, _checked(run, side, exported, settings)))
    read = _read_form(run, side)
    return [*found, Reference(read, _checked(run, side, read, settings))] if read is not None else found


def _read_form(run: Run, side: NativeSide) -> Export | None:
    """The graph that a reader of our own makes of the native file, which shares nothing with any exporter; None where it knows it not."""
    try:
        file = Path(side.request.path), side.session.adapter.format
        path = read_again(run, side.role, file, side.session.signature.inputs)
    except SafeconvertError:
        return None
    return Export(READER, path, "")


def _checked(run: Run, side: NativeSide, exported: Export, settings: VerifySettings) -> ExporterCheck:
    return against_export(run, side.outputs, exported, side.chunks, settings, side.counted, side.role)


def _verified(run: Run, side: NativeSide, exported: Export, settings: VerifySettings) -> Reference | None:
    check = _checked(run, side, exported, settings)
    return Reference(exported, check) if check.verdict is ExporterVerdict.EQUAL else None


def _explained(run: Run, side: NativeSide, others: Sequence[Reference], settings: VerifySettings) -> Mapping[str, Any]:
    """What the engine makes of an ONNX form, other forms, and the native model on a few calls."""
    form = _form(run, side, side.exported, side.check)
    donors = tuple(
        _form(run, side, other.exported, other.check) for other in others if other.check.contract is not None
    )
    numbers = _unequal_first(side, settings)[: run.settings.repair.probes]
    problem = observed_problem(run, side, form, numbers)
    asked = {"request": replace(problem, donors=donors).to_json()}
    found: Mapping[str, Any] = call_engine(run, "explain_export", f"comparing {side.role}.onnx with its layers", asked)
    return found


def observed_problem(run: Run, side: NativeSide, form: OnnxForm, numbers: Sequence[int]) -> ExportProblem:
    """A native model observed on a few calls, beside an ONNX form.

    Args:
        run: the surroundings.
        side: the native model.
        form: the ONNX form.
        numbers: the samples, one call each, with others to fill it up.

    Raises:
        UnusableInput: the model does not show its inner tensors.
        AdapterFailure: it does not run on these calls.
    """
    theirs = Signature(tuple(t.target for t in form.contract.inputs), tuple(t.target for t in form.contract.outputs))
    sizes = (fixed_batch(side.session.signature), fixed_batch(theirs))
    batch = max((size for size in sizes if size is not None), default=_ROWS)
    calls = [_call(run, side, number, batch) for number in numbers]
    session = _alive(run, side)
    tensors = session.observe(calls, run.scratch)
    outputs = session.run(calls, run.scratch)
    return ExportProblem(
        form,
        (),
        tuple(tensors),
        tuple({name: str(path) for name, path in call.items()} for call in calls),
        tuple({name: str(path) for name, path in given.items()} for given in outputs),
        run.settings.repair.rtol,
        str(run.folder("export")),
    )


def _alive(run: Run, side: NativeSide) -> Session:
    if side.session.alive:
        return side.session
    return open_model(run, side.role, side.session.adapter.format, side.request)


def _form(run: Run, side: NativeSide, exported: Export, check: ExporterCheck) -> OnnxForm:
    """An ONNX form with the contract of the native model and it. Raises UnusableInput where there is no form."""
    if exported.path is None:
        raise UnusableInput(f"no ONNX form of the {side.role}")
    contract = check.contract
    if contract is None:
        candidates = tuple(tuple(size or 0 for size in spec.shape) for spec in side.session.signature.inputs)
        session = open_model(run, "onnx", "onnx", ModelRequest(str(exported.path), candidate_shapes=candidates))
        contract = unchanged_contract(side.session.signature, session.signature)
    return OnnxForm(exported.adapter, str(exported.path), contract)


def _unequal_first(side: NativeSide, settings: VerifySettings) -> list[int]:
    """Steering samples, those first on which the ONNX form is not the native model."""
    steering = [int(number) for number in side.steering]
    if side.check.outputs is None or side.check.contract is None:
        return steering
    figures = compare(side.check.contract, side.outputs, side.check.outputs, side.chunks, settings)
    unequal = {int(number) for number in figures.unequal()}
    return sorted(steering, key=lambda number: number not in unequal)


def _call(run: Run, side: NativeSide, number: int, batch: int) -> dict[str, Path]:
    """One sample and others that steer in a call of `batch` rows; a whole call as it is."""
    chunk = _holding(side, number)
    if chunk.whole:
        return dict(chunk.arrays)
    order = [number, *(int(other) for other in side.steering if other != number)]
    rows = [order[index % len(order)] for index in range(batch)]
    folder, files = run.folder("probe"), {}
    for position, name in enumerate(chunk.arrays):
        files[name] = folder / f"in-{position}.npy"
        save_array(files[name], np.stack([_row(side, name, row) for row in rows]))
    return files


def _holding(side: NativeSide, number: int) -> Chunk:
    return next(chunk for chunk in side.chunks if chunk.start <= number < chunk.stop)


def _row(side: NativeSide, name: str, number: int) -> np.ndarray:
    chunk = _holding(side, number)
    row: np.ndarray = np.load(chunk.arrays[name], mmap_mode="r", allow_pickle=False)[number - chunk.start]
    return row


def _line(error: SafeconvertError) -> str:
    return " ".join((error.cause if isinstance(error, AdapterFailure) else error.message).split())[:240]
