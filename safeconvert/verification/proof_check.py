"""A certificate's proof verified again: both ONNX forms taken or made anew from the certified files, and given to the checker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safeconvert.adapter_api.protocol import ConvertRequest, ModelRequest
from safeconvert.certificate.untrusted_json import mapping, mappings, number, sequence, text
from safeconvert.config.options import ModelOptions
from safeconvert.conversion.models import cause_of, open_given
from safeconvert.core.cut import Cut
from safeconvert.core.formats import ModelFile, detect
from safeconvert.core.proof import ProofLevel
from safeconvert.core.signature import TensorSpec
from safeconvert.errors import NotEquivalent, NoVerdict, SafeconvertError, UnusableInput
from safeconvert.verification.native_forms import read_again
from safeconvert.verification.part import recorded_cut, take_part
from safeconvert.verification.snapshot import snapshot
from safeconvert.workers.engine import call_engine
from safeconvert.workers.run import Run
from safeconvert.workers.session import run_converter

_LONGEST = 16  # of an untrusted list of shapes


@dataclass(frozen=True)
class Rechecked:
    """What the checker says.

    Attributes:
        axioms: in how many steps each axiom is used.
        apart: the largest relative difference of constants.
        other_forms: sides whose form, made again, is not the recorded one to the byte; the proof holds for it all the same.
        forms: what was read, in words.
    """

    axioms: Mapping[str, int]
    apart: float
    other_forms: tuple[str, ...]
    forms: str


def check_again(
    run: Run, paths: Mapping[str, Path], predicate: Mapping[str, Any], proof: Mapping[str, Any]
) -> Rechecked:
    """Verify a proof object against the files that a certificate names.

    Args:
        run: the surroundings.
        paths: `source` and `target`, as certified.
        predicate: the certificate's content.
        proof: the object, from anybody.

    Raises:
        NotEquivalent: the proof does not hold, or is not of what the certificate says.
        NoVerdict: a form cannot be made again.
        UnusableInput: a model cannot be read.
    """
    _require_same_contract(predicate, mapping(proof.get("statement")))
    claimed = mapping(predicate.get("proof"))
    native = claimed.get("level") == ProofLevel.NATIVE
    made = {side: mapping(mapping(proof.get("forms")).get(side)) for side in paths}
    cuts = {"source": recorded_cut(mapping(predicate.get("source"))), "target": Cut()}
    files = {
        side: take_part(run, snapshot(run, detect(path)), ModelOptions(cut=cuts[side])) for side, path in paths.items()
    }
    inputs = {side: _inputs(predicate, side) if native else () for side in files}
    forms = {side: _form(run, side, file, made[side], inputs[side]) for side, file in files.items()}
    found = call_engine(
        run,
        "check_proof",
        "checking the proof",
        {**{side: str(path) for side, path in forms.items()}, "proof": dict(proof)},
    )
    if found["refused"]:
        raise NotEquivalent(f"the proof does not hold: {found['refused']}")
    if {name: list(shape) for name, shape in found["sizes"].items()} != claimed.get("sizes"):
        raise NotEquivalent("the proof is for other sizes than the certificate says")
    if mapping(proof.get("statement")).get("alone", False) and claimed.get("alone") is not True:
        raise NotEquivalent("the proof is for its sizes alone, and the certificate does not say so")
    if not found["apart"] <= (number(claimed.get("apart")) or 0.0):
        raise NotEquivalent("the proof lets constants be farther apart than the certificate says")
    other = tuple(side for side in sorted(paths) if found["forms"][side] != made[side].get("sha256"))
    return Rechecked(found["axioms"], found["apart"], other, "both files" if native else "both ONNX forms")


def _require_same_contract(predicate: Mapping[str, Any], statement: Mapping[str, Any]) -> None:
    """The certificate's orders of axes, tensor by tensor, are those of the proof's statement."""
    contract = mapping(predicate.get("contract"))
    for role in ("inputs", "outputs"):
        ours = [one.get("permutation") for one in mappings(contract.get(role))]
        theirs = [one.get("order") for one in mappings(statement.get(role))]
        if ours != theirs:
            raise NotEquivalent(f"the proof is of {role} in other orders of axes than the certificate says")


def _inputs(predicate: Mapping[str, Any], side: str) -> tuple[TensorSpec, ...]:
    """What a model is fed, as the certificate says."""
    given = (mapping(one.get(side)) for one in mappings(mapping(predicate.get("contract")).get("inputs")))
    return tuple(TensorSpec(text(one.get("name")), _sizes(one.get("shape")), text(one.get("dtype"))) for one in given)


def _sizes(shape: object) -> tuple[int | None, ...]:
    return tuple(None if size is None else int(number(size) or 0) for size in sequence(shape))


def _form(run: Run, side: str, file: ModelFile, recorded: Mapping[str, Any], inputs: tuple[TensorSpec, ...]) -> Path:
    """The ONNX form of a model, or of the part of it that was certified: the file itself, or what is read of it, or what the recorded exporter
    makes of it where the claim is no more and no inputs are given."""
    path = file.named
    if file.format == "onnx":
        return file.path
    name = text(recorded.get("exporter"))
    if inputs:
        return read_again(run, side, (file.path, file.format), inputs)
    adapter = next((one for one in run.adapters if one.name == name), None)
    if adapter is None:
        raise NoVerdict(f"{path}: its exporter {name} is not here, so that its ONNX form cannot be made again")
    request = _request(file, recorded)
    session = open_given(run, side, file, request)
    target = run.folder("export") / f"{side}.onnx"
    opset = int(number(recorded.get("opset")) or 0)
    try:
        with run.phases.phase(f"exporting the {side} to ONNX ({name})"):
            worker = run.pool.worker(side, adapter.python)
            run_converter(worker, adapter, ConvertRequest(request, str(target), session.signature, opset))
    except UnusableInput:
        raise
    except SafeconvertError as error:
        raise NoVerdict(f"{path}: {name} does not make its ONNX form again: {cause_of(error)}") from error
    return target


def _request(file: ModelFile, recorded: Mapping[str, Any]) -> ModelRequest:
    given = {str(name): _shape(shape) for name, shape in mapping(recorded.get("input_shapes")).items()}
    candidates = tuple(map(_shape, sequence(recorded.get("candidate_shapes"))[:_LONGEST]))
    listed = (sequence(one) for one in sequence(recorded.get("candidate_inputs"))[:_LONGEST])
    inputs = tuple((text(one[0]), _shape(one[1]), text(one[2])) for one in listed if len(one) == 3)
    return ModelRequest(str(file.path), given, candidates, inputs)


def _shape(value: object) -> tuple[int, ...]:
    found: Sequence[Any] = sequence(value)
    return tuple(int(number(size) or 0) for size in found)
