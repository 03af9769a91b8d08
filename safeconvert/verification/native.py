"""Run the four models on the same inputs and compare them in pairs.

source-native vs target-native is the verdict. A native model against its own ONNX form tells whether an *exporter* is at
fault; such a fault is reported as the exporter's and never blamed on the converter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.compare.comparators import choose
from safeconvert.compare.contract import Contract, make_contract
from safeconvert.compare.discrepancy import Accumulator
from safeconvert.compare.exchange import comparable_outputs, target_feeds
from safeconvert.compare.groups import ranges_of
from safeconvert.compare.half_precision import within_half
from safeconvert.compare.output_pair import Array
from safeconvert.compare.quantized import same_storage, to_real
from safeconvert.compare.scale import fitted, output_scales
from safeconvert.compare.settings import VerifySettings
from safeconvert.conversion.models import Evaluated, Export, evaluate, open_model
from safeconvert.core.faults import ExporterVerdict
from safeconvert.core.signature import Signature
from safeconvert.core.text import first_line
from safeconvert.errors import SafeconvertError
from safeconvert.inputs.store import Chunk
from safeconvert.verification.types import Counted, ExporterCheck
from safeconvert.workers.run import Run
from safeconvert.workers.session import load_files


def feed_across(contract: Contract, chunks: Sequence[Chunk], folder: Path) -> list[dict[str, Path]]:
    """Chunk files for the other model of a contract: its names, order of dimensions and dtypes."""
    plain = all(
        t.permutation is None and t.source.dtype == t.target.dtype and same_storage(t.source, t.target)
        for t in contract.inputs
    )
    if plain:
        return [{t.target.name: chunk.arrays[t.source.name] for t in contract.inputs} for chunk in chunks]
    fed = []
    for number, chunk in enumerate(chunks):
        arrays = {name: np.load(path, allow_pickle=False) for name, path in chunk.arrays.items()}
        files = {}
        for position, (name, array) in enumerate(target_feeds(contract, arrays).items()):
            files[name] = folder / f"feed-{number:05d}-{position}.npy"
            np.save(files[name], array, allow_pickle=False)
        fed.append(files)
    return fed


def compare(
    contract: Contract, source: Evaluated, target: Evaluated, chunks: Sequence[Chunk], settings: VerifySettings
) -> Accumulator:
    """Accumulate the figures of two evaluated models, chunk by chunk; an output's range bounds its absolute tolerance."""
    figures = accumulator(contract, source, chunks, settings)
    for chunk, ours, theirs in zip(chunks, source.outputs, target.outputs, strict=True):
        left, right = comparable_outputs(contract, load_files(ours), load_files(theirs))
        if chunk.whole:
            left, right = ({name: array[None] for name, array in side.items()} for side in (left, right))
        figures.add(left, right, np.arange(chunk.start, chunk.stop))
    return figures


def accumulator(
    contract: Contract, source: Evaluated, chunks: Sequence[Chunk], settings: VerifySettings
) -> Accumulator:
    """An empty accumulator for outputs as large as these of the source."""
    limits = group_scales(contract, source, chunks, settings)
    settings = within_half(settings, [tensor.source for tensor in contract.outputs])
    return Accumulator(fitted(settings, real_scales(contract, source)), str(Path.cwd()), limits)


def real_scales(contract: Contract, source: Evaluated) -> dict[str, float]:
    """By real-valued output of a contract, its largest value on any input."""
    specs = {tensor.source.name: tensor.source for tensor in contract.outputs}
    real = (
        {
            name: to_real(array, specs[name])
            for name, array in load_files(files).items()
            if name in specs and choose(specs[name]) != "exact"
        }
        for files in source.outputs
    )
    return output_scales(real)


def group_scales(
    contract: Contract, source: Evaluated, chunks: Sequence[Chunk], settings: VerifySettings
) -> dict[str, Array]:
    """By output that puts quantities of very different size together, the scale of each value's group.

    An output with a tolerance of its own has none, nor has any under a user's own comparator.
    """
    if ":" in (settings.comparator or ""):
        return {}
    specs = {tensor.source.name: tensor.source for tensor in contract.outputs}
    kept = {name for name in specs if name not in settings.tolerances and choose(specs[name]) != "exact"}
    return ranges_of(
        (
            {name: to_real(array, specs[name]) for name, array in load_files(files).items() if name in kept},
            -1 if chunk.whole else chunk.stop - chunk.start,
        )
        for chunk, files in zip(chunks, source.outputs, strict=True)
    )


_FIRST = 64
"""Inputs on which an ONNX form is shown to be its model where neither it nor the target differs."""


def first_chunks(chunks: Sequence[Chunk], counted: Counted) -> Sequence[Chunk]:
    """The first chunks of `_FIRST` samples or a few more, some of which count; all where that saves less than half."""
    for number, chunk in enumerate(chunks, start=1):
        if chunk.stop >= _FIRST and np.any(counted.held_out < chunk.stop):
            return chunks[:number] if 2 * chunk.stop <= chunks[-1].stop else chunks
    return chunks


def against_first(
    run: Run,
    native: Evaluated,
    exported: Export,
    chunks: Sequence[Chunk],
    settings: VerifySettings,
    counted: Counted,
    side: str,
) -> ExporterCheck:
    """As `against_export`, on the first inputs; on all of them where the form differs there."""
    few = first_chunks(chunks, counted)
    if len(few) == len(chunks):
        return against_export(run, native, exported, chunks, settings, counted, side)
    part = replace(native, outputs=native.outputs[: len(few)])
    stop = few[-1].stop
    within = Counted(counted.held_out[counted.held_out < stop], counted.joined[counted.joined < stop])
    found = against_export(run, part, exported, few, settings, within, side)
    if found.verdict is not ExporterVerdict.DIFFERENT:
        return found
    return against_export(run, native, exported, chunks, settings, counted, side)


def against_export(
    run: Run,
    native: Evaluated,
    exported: Export,
    chunks: Sequence[Chunk],
    settings: VerifySettings,
    counted: Counted,
    side: str,
) -> ExporterCheck:
    """Run a model's ONNX form and compare it with the native model on the inputs that count.

    What was made up beside given inputs counts for whether they are equal, and not for the bound that the given ones give.
    """
    if not exported.adapter and exported.path is not None:
        return ExporterCheck("", ExporterVerdict.NONE, "the model is ONNX itself")
    if exported.path is None:
        return ExporterCheck("", ExporterVerdict.FAILED, exported.failure)
    candidates = tuple(tuple(size or 0 for size in spec.shape) for spec in native.signature.inputs)
    request = ModelRequest(str(exported.path), candidate_shapes=candidates)
    try:
        session = open_model(run, "onnx", "onnx", request)
        contract = unchanged_contract(native.signature, session.signature)
        feeds = feed_across(contract, chunks, run.folder("feed"))
        form = Form(exported.adapter, side, evaluate(run, session, feeds, f"running the {side} (ONNX)"))
        return judge_form(form, native, chunks, settings, counted)
    except SafeconvertError as error:
        return ExporterCheck(exported.adapter, ExporterVerdict.FAILED, first_line(str(error)))


@dataclass(frozen=True)
class Form:
    """An ONNX form that was run.

    Attributes:
        adapter: the exporter that made it.
        side: `source` or `target`.
        outputs: what it gave.
    """

    adapter: str
    side: str
    outputs: Evaluated


def judge_form(
    form: Form, native: Evaluated, chunks: Sequence[Chunk], settings: VerifySettings, counted: Counted
) -> ExporterCheck:
    """Whether an ONNX form gave what its model gives on the inputs that count. Raises SafeconvertError where its outputs are others."""
    contract = unchanged_contract(native.signature, form.outputs.signature)
    compared = compare(contract, native, form.outputs, chunks, settings)
    figures = compared.result(counted.held_out)
    made_up = compared.result(counted.joined) if len(counted.joined) else None
    found = ExporterCheck(form.adapter, ExporterVerdict.EQUAL, "", figures, form.outputs, contract, made_up)
    if figures.equal and (made_up is None or made_up.equal):
        return found
    wrong, what = (figures, "inputs") if made_up is None or not figures.equal else (made_up, "made-up inputs")
    reason = (
        f"{form.adapter} changed the {form.side}: labels or values differ on {wrong.disagreements} of {wrong.samples} {what}, "
        f"max-abs {wrong.max_abs:.3g}"
    )
    return replace(found, verdict=ExporterVerdict.DIFFERENT, reason=reason, figures=replace(figures, equal=False))


def unchanged_contract(native: Signature, other: Signature) -> Contract:
    """A contract in which every tensor keeps its order of dimensions, as exporters do."""
    return make_contract(
        native, other, {spec.name: None for spec in native.inputs}, {spec.name: None for spec in native.outputs}
    )
