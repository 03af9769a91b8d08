"""Whether an ONNX form is its native model.

A native model against its own ONNX form tells whether an *exporter* is at fault; such a fault is reported as the exporter's and never blamed on the
converter. A form that is beyond tolerance in ONNX Runtime, and in float64 gives what the native model gives, is the model: what it is made of is
looked at here, not how a runtime sums in float32.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.compare.comparison import Comparison
from safeconvert.compare.settings import VerifySettings
from safeconvert.conversion.models import Evaluated, Export, evaluate, open_model
from safeconvert.core.faults import ExporterVerdict
from safeconvert.core.text import first_line
from safeconvert.errors import SafeconvertError
from safeconvert.inputs.store import Chunk
from safeconvert.verification.double import agreeing, in_double, narrow, stricter, with_double
from safeconvert.verification.native import compare, feed_across, unchanged_contract
from safeconvert.verification.types import Counted, ExporterCheck
from safeconvert.workers.run import Run
from safeconvert.workers.session import Session

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
        form = Form(exported.adapter, side, _outputs(run, session, feeds, f"running the {side} (ONNX)"))
        found = judge_form(form, native, chunks, settings, counted)
        return unless_rounding(run, found, exported, (native, chunks, side), settings, counted)
    except SafeconvertError as error:
        return ExporterCheck(exported.adapter, ExporterVerdict.FAILED, first_line(str(error)))


def _outputs(run: Run, session: Session, feeds: Sequence[Mapping[str, Path]], title: str) -> Evaluated:
    """What a form gives on all inputs; on those on which it was run before, what it gave then: its file and theirs are written once."""
    keys = [(session.path, *sorted(feed.items())) for feed in feeds]
    missing = [number for number, key in enumerate(keys) if key not in run.forms]
    if missing:
        fresh = evaluate(run, session, [feeds[number] for number in missing], title)
        run.forms.update(zip((keys[number] for number in missing), fresh.outputs, strict=True))
    return Evaluated(session.signature, tuple(run.forms[key] for key in keys))


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
    far = f", distances on {wrong.beyond_tolerance}" if wrong.beyond_tolerance else ""
    reason = (
        f"{form.adapter} changed the {form.side}: labels or values differ on {wrong.disagreements} of {wrong.samples} {what}{far}, "
        f"max-abs {wrong.max_abs:.3g}"
    )
    return replace(found, verdict=ExporterVerdict.DIFFERENT, reason=reason, figures=replace(figures, equal=False))


def unless_rounding(
    run: Run,
    check: ExporterCheck,
    exported: Export,
    model: tuple[Evaluated, Sequence[Chunk], str],
    settings: VerifySettings,
    counted: Counted,
) -> ExporterCheck:
    """The check of an ONNX form; equal where all that is wrong are distances, and the form in float64 gives what the native model gives within tolerance.

    Args:
        run: the surroundings.
        check: of the form in ONNX Runtime.
        exported: the form.
        model: the native model's outputs, on which inputs, and its side.
        settings: what counts as equal.
        counted: the samples that give verdicts.
    """
    native, chunks, side = model
    adapter, contract = with_double(run), check.contract
    if adapter is None or contract is None or not _narrowly_different(run, check):
        return check
    try:
        exact = compare(contract, native, in_double(run, adapter, exported, contract, chunks, side), chunks, settings)
    except SafeconvertError:
        return check  # no evidence, no change
    found = exact.result(np.union1d(counted.held_out, counted.joined))
    return _accepted(check, found.relative) if found.equal else check


def as_another_form(
    run: Run,
    forms: tuple[tuple[Export, ExporterCheck], tuple[Export, ExporterCheck]],
    chunks: Sequence[Chunk],
    side: str,
    settings: VerifySettings,
) -> ExporterCheck:
    """The check of an ONNX form; equal where all that is wrong are distances, and in float64 the form gives within a tenth of the tolerance what
    another form of the model gives, which is shown to be the model.

    A runtime in float32 may lie as far from its own graph as from any other: EfficientNet-B0 in LiteRT does on pictures of one colour.

    Args:
        run: the surroundings.
        forms: the form and its check, and another one with its check.
        chunks: inputs, as the native model is fed them.
        side: `source` or `target`.
        settings: what counts as equal.
    """
    (exported, check), (other, shown) = forms
    adapter = with_double(run)
    if adapter is None or check.contract is None or shown.contract is None or other.path is None:
        return check
    if shown.verdict is not ExporterVerdict.EQUAL or not _narrowly_different(run, check):
        return check
    names = {tensor.source.name: tensor.target.name for tensor in shown.contract.outputs}
    strict = stricter(settings, {names.get(name, name): one for name, one in settings.tolerances.items()})
    try:
        ours = in_double(run, adapter, other, shown.contract, chunks, side)
        theirs = in_double(run, adapter, exported, check.contract, chunks, side)
        found = compare(unchanged_contract(ours.signature, theirs.signature), ours, theirs, chunks, strict).result()
    except SafeconvertError:
        return check  # no evidence, no change
    return _accepted(check, found.relative) if found.equal else check


def _wrong(check: ExporterCheck) -> list[Comparison]:
    return [figures for figures in check.all_figures if figures.disagreements or figures.beyond_tolerance]


def _narrowly_different(run: Run, check: ExporterCheck) -> bool:
    """Whether a form differs in distances alone that rounding may be."""
    different = check.verdict is ExporterVerdict.DIFFERENT
    return different and all(narrow(figures, run.settings.verify.rounding) for figures in _wrong(check))


def _accepted(check: ExporterCheck, exact: float) -> ExporterCheck:
    """The check of a form whose distances are rounding."""
    wrong = _wrong(check)

    def figures_of(figures: Comparison) -> Comparison:
        if figures in wrong:
            return agreeing(figures, figures.beyond_tolerance, exact)
        return replace(figures, equal=True)

    figures, made_up = (one and figures_of(one) for one in (check.figures, check.made_up))
    return replace(check, verdict=ExporterVerdict.EQUAL, reason="", figures=figures, made_up=made_up)
