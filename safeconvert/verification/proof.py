"""Whether the ONNX forms of a verified pair are the same function, proven rather than sampled (`prove.prover`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from safeconvert.compare.contract import Contract
from safeconvert.core.proof import ProofLevel, ProofRecord
from safeconvert.core.signature import Signature
from safeconvert.core.text import first_line
from safeconvert.errors import SafeconvertError
from safeconvert.verification.cross_pairs import across
from safeconvert.verification.interface import suggested_shapes
from safeconvert.verification.native import unchanged_contract
from safeconvert.verification.source import Source
from safeconvert.verification.types import ExporterCheck, Verification
from safeconvert.workers.engine import call_engine
from safeconvert.workers.run import Run


def prove_forms(
    run: Run, source: Source, verification: Verification | None, source_check: ExporterCheck
) -> ProofRecord:
    """Prove the two ONNX forms equal, where the native models were found equal and each form is its native model.

    Never raises for what cannot be proven: no verdict rests on it.
    """
    if verification is None or not verification.native.equal:
        return _sampled("source and target are not equal")
    for side, check in (("source", source_check), ("target", verification.exporter)):
        if check.verdict not in ("equal", "none"):
            return _sampled(f"the {side}'s ONNX form is not shown to be the {side}: {check.reason or check.verdict}")
    ours, theirs = source.exported.path, verification.exported.path
    if ours is None or theirs is None:
        return _sampled("one of the models has no ONNX form")
    contract = forms_contract(source, verification, source_check)
    try:
        with run.phases.phase("proving"):
            arguments = {"source": str(ours), "target": str(theirs), "contract": contract.to_json()}
            found = call_engine(run, "prove_equal", "proving", arguments)
    except SafeconvertError as error:
        return _sampled(f"the prover could not read the graphs: {first_line(str(error))}")
    native = not source.exported.adapter and not verification.exported.adapter
    level = ProofLevel.NATIVE if native else ProofLevel.ONNX
    record = ProofRecord(
        level if found["proven"] else ProofLevel.SAMPLED,
        ""
        if found["proven"]
        else f"not every part of the target is a known re-expression of the source's: {found['reason']}",
        found["apart"],
        {name: tuple(shape) for name, shape in found["sizes"].items()},
        found["axioms"],
        tuple(found["unproven"]),
        _with_exporters(found["document"], source, verification) if found["document"] else {},
    )
    if found["proven"] and found["same_graph"]:
        return ProofRecord(
            ProofLevel.SAMPLED,
            "source and target have one and the same ONNX graph, so that there is nothing to prove between them; "
            "that this graph is the native source is sampled",
        )
    return record


def forms_contract(source: Source, verification: Verification, check: ExporterCheck) -> Contract:
    """The contract of a verified pair, as it holds for both ONNX forms."""
    ours = _form(check, source.session.signature)
    return across(verification.contract, ours, _form(verification.exporter, verification.target))


def _with_exporters(document: Mapping[str, Any], source: Source, verification: Verification) -> dict[str, Any]:
    """The proof object, with what made each of the forms, so that they can be made again."""
    shapes = suggested_shapes(source.session.signature)
    made = {
        "source": (source.exported, source.request.input_shapes, source.request.candidate_shapes),
        "target": (verification.exported, {}, shapes),
    }
    forms = {
        side: {
            "sha256": document["forms"][side],
            "exporter": export.adapter,
            "opset": export.opset,
            "input_shapes": {name: list(shape) for name, shape in given.items()},
            "candidate_shapes": [list(shape) for shape in candidates],
        }
        for side, (export, given, candidates) in made.items()
    }
    return {**document, "forms": forms}


def _form(check: ExporterCheck, native: Signature) -> Contract:
    """The contract of a native model and its ONNX form; of itself where it is ONNX."""
    return check.contract if check.contract is not None else unchanged_contract(native, native)


def _sampled(reason: str) -> ProofRecord:
    return ProofRecord(ProofLevel.SAMPLED, reason)
