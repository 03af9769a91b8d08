"""Whether a verified pair is one function, proven rather than sampled: between the native files where both can be read, else between ONNX forms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from safeconvert.compare.contract import Contract
from safeconvert.compare.settings import VerifySettings
from safeconvert.core.proof import READER, ProofLevel, ProofRecord
from safeconvert.core.signature import Signature
from safeconvert.core.text import first_line
from safeconvert.errors import SafeconvertError
from safeconvert.verification.cross_pairs import across
from safeconvert.verification.interface import request_like
from safeconvert.verification.native import feed_across, unchanged_contract
from safeconvert.verification.native_forms import NativeForm, NativeModel, Unread, native_form
from safeconvert.verification.source import Source, chunks_for
from safeconvert.verification.structure import same_form
from safeconvert.verification.target_form import target_file, with_exporters_form
from safeconvert.verification.types import Counted, ExporterCheck, Verification
from safeconvert.workers.engine import call_engine
from safeconvert.workers.run import Run

_ONE_GRAPH = (
    "source and target have one and the same ONNX graph, so that there is nothing to prove between them; "
    "that this graph is the native source is sampled"
)


@dataclass(frozen=True)
class Proved:
    """What was proven of a pair, and the ONNX forms that it says something of.

    Attributes:
        record: what was proven.
        source: what became of the source's ONNX form.
        verification: of the target, with its ONNX form; None where there is none.
    """

    record: ProofRecord
    source: ExporterCheck
    verification: Verification | None


def prove_pair(
    run: Run,
    source: Source,
    verification: Verification | None,
    source_check: ExporterCheck,
    target: tuple[Path, str],
    settings: VerifySettings,
) -> Proved:
    """Prove a target equal to its source where the native models were found equal.

    Where no proof comes of graphs that were read from the files, and one of these is an ONNX form, exporters' forms are made and proven equal.

    Never raises for what cannot be proven: no verdict rests on it.

    Args:
        run: the surroundings.
        source: evaluated.
        verification: of the target.
        source_check: the source's ONNX form.
        target: the target's file and format.
        settings: how outputs are compared.
    """
    if verification is None or not verification.native.equal:
        return Proved(_sampled("source and target are not equal"), source_check, verification)
    if source.fed_otherwise:
        reason = "the target takes another preprocessing than the source, which is not part of either graph"
        return Proved(_sampled(reason), source_check, verification)
    forms = native_forms(run, source, (verification, source_check), target, settings)
    found = prove_between(run, verification, forms) if not isinstance(forms, Unread) else _sampled(forms.reason)
    if found.level is ProofLevel.NATIVE or {source.file.format, target[1]} == {"onnx"}:
        return Proved(found, source_check, verification)
    source_check, verification = exporters_forms(run, source, (source_check, verification), target, settings)
    both = prove_forms(run, source, verification, source_check)
    if both.level is ProofLevel.ONNX:
        both = replace(both, reason=f"not end to end: {found.reason}")
    elif both.reason == _ONE_GRAPH:  # what is missing is missing between the native files
        both = replace(found, reason=f"{_ONE_GRAPH}; not end to end: {found.reason}")
    else:
        both = replace(both, reason=f"{both.reason}; nor end to end: {found.reason}")
    return Proved(both, source_check, verification)


def exporters_forms(
    run: Run,
    source: Source,
    checked: tuple[ExporterCheck, Verification],
    target: tuple[Path, str],
    settings: VerifySettings,
) -> tuple[ExporterCheck, Verification]:
    """What became of the source's ONNX form, and the verification of a target with its own: exporters' forms in place of those that were read.

    A target stays with what was read of it where it cannot be fed again.

    Args:
        run, source, target, settings: as `prove_pair`.
        checked: what became of the source's ONNX form so far, and the verification.
    """
    check, verification = checked
    if source.exported.adapter == READER:
        source.exporter.with_exporter()
        check = source.exporter.result()
    try:
        opened = target_file(source, *target, verification.target)
        return check, with_exporters_form(run, opened, source, verification, settings)
    except SafeconvertError:
        return check, verification


def prove_forms(run: Run, source: Source, verification: Verification, source_check: ExporterCheck) -> ProofRecord:
    """Prove the two ONNX forms equal, where each form is its native model."""
    for side, check in (("source", source_check), ("target", verification.exporter)):
        if check.verdict not in ("equal", "none"):
            return _sampled(f"the {side}'s ONNX form is not shown to be the {side}: {check.reason or check.verdict}")
    ours, theirs = source.exported.path, verification.exported.path
    if ours is None or theirs is None:
        return _sampled("one of the models has no ONNX form")
    if same_form(source.exported, verification.exported):
        return _sampled(_ONE_GRAPH)
    found = _proven(run, (ours, theirs), forms_contract(source, verification, source_check), ProofLevel.ONNX)
    if isinstance(found, ProofRecord):
        return found
    record, one_graph = found
    if one_graph:
        return _sampled(_ONE_GRAPH)
    return replace(record, document=_with_exporters(record.document, source, verification) if record.document else {})


def forms_contract(source: Source, verification: Verification, check: ExporterCheck) -> Contract:
    """The contract of a verified pair, as it holds for both ONNX forms."""
    ours = _form(check, source.session.signature)
    return across(verification.contract, ours, _form(verification.exporter, verification.target))


def native_forms(
    run: Run,
    source: Source,
    checked: tuple[Verification, ExporterCheck],
    target: tuple[Path, str],
    settings: VerifySettings,
) -> tuple[NativeForm, NativeForm] | Unread:
    """The graphs of both files, or why one of them has none."""
    verification, check = checked
    chunks, file = source.data.chunks, source.file
    ours = NativeModel("source", file.path, file.format, chunks, source.outputs, (source.exported, check))
    checked_form = verification.exported, verification.exporter
    theirs = NativeModel("target", *target, chunks, verification.outputs, checked_form)
    if theirs.at_hand is None:
        try:
            feeds = feed_across(verification.contract, chunks, run.folder("feed"))
        except SafeconvertError as error:
            return Unread(first_line(str(error)))
        theirs = replace(theirs, chunks=chunks_for(source.data, feeds))
    forms = []
    for model in (ours, theirs):
        if len(model.outputs.outputs) != len(
            model.chunks
        ):  # preprocessing was built into the target, which was fed other images
            return Unread(f"the {model.side} was run on other inputs")
        counted = Counted(*(np.setdiff1d(part, verification.settled) for part in (source.held_out, source.joined)))
        early = source.early.of(model, counted) if source.early is not None and model.side == "source" else None
        form = early if early is not None else native_form(run, model, counted, settings)
        if isinstance(form, Unread):
            return form
        forms.append(form)
    return forms[0], forms[1]


def prove_between(run: Run, verification: Verification, forms: tuple[NativeForm, NativeForm]) -> ProofRecord:
    """A proof between the graphs of both files."""
    contract = across(verification.contract, *(form.contract for form in forms))
    found = _proven(run, (forms[0].path, forms[1].path), contract, ProofLevel.NATIVE)
    if isinstance(found, ProofRecord):
        return found
    record, one_graph = found
    if one_graph and not any(form.reader for form in forms):
        return _sampled(_ONE_GRAPH)
    if not record.document:
        return record
    made = {
        side: {"sha256": record.document["forms"][side], "exporter": form.reader}
        for side, form in zip(("source", "target"), forms, strict=True)
    }
    return replace(record, document={**record.document, "forms": made})


def _proven(
    run: Run, paths: tuple[Path, Path], contract: Contract, level: ProofLevel
) -> tuple[ProofRecord, bool] | ProofRecord:
    """What the prover says of two graphs, and whether they are one; a record alone where it could not read them."""
    try:
        with run.phases.phase("proving"):
            arguments = {"source": str(paths[0]), "target": str(paths[1]), "contract": contract.to_json()}
            found = call_engine(run, "prove_equal", "proving", arguments)
    except SafeconvertError as error:
        return _sampled(f"the prover could not read the graphs: {first_line(str(error))}")
    reason = f"not every part of the target is a known re-expression of the source's: {found['reason']}"
    record = ProofRecord(
        level if found["proven"] else ProofLevel.SAMPLED,
        "" if found["proven"] else reason,
        found["apart"],
        {name: tuple(shape) for name, shape in found["sizes"].items()},
        found["alone"],
        found["axioms"],
        tuple(found["unproven"]),
        found["document"],
    )
    return record, found["proven"] and found["same_graph"]


def _with_exporters(document: Mapping[str, Any], source: Source, verification: Verification) -> dict[str, Any]:
    """The proof object, with what made each of the forms, so that they can be made again."""
    like = request_like("", source.session.signature)
    made = {"source": (source.exported, source.request), "target": (verification.exported, like)}
    forms = {
        side: {
            "sha256": document["forms"][side],
            "exporter": export.adapter,
            "opset": export.opset,
            "input_shapes": {name: list(shape) for name, shape in request.input_shapes.items()},
            "candidate_shapes": [list(shape) for shape in request.candidate_shapes],
            "candidate_inputs": [[name, list(shape), dtype] for name, shape, dtype in request.candidate_inputs],
        }
        for side, (export, request) in made.items()
    }
    return {**document, "forms": forms}


def _form(check: ExporterCheck, native: Signature) -> Contract:
    """The contract of a native model and its ONNX form; of itself where it is ONNX."""
    return check.contract if check.contract is not None else unchanged_contract(native, native)


def _sampled(reason: str) -> ProofRecord:
    return ProofRecord(ProofLevel.SAMPLED, reason)
