"""The layers of the native models that the ONNX nodes of faults stand for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.compare.contract import Contract
from safeconvert.conversion.models import open_model
from safeconvert.core.faults import FaultRecord
from safeconvert.errors import SafeconvertError
from safeconvert.repair.client import OnnxPair
from safeconvert.repair.engine.export_problem import OnnxForm
from safeconvert.repair.export_faults import NativeSide, observed_problem
from safeconvert.repair.types import Diagnosis
from safeconvert.verification.native import unchanged_contract
from safeconvert.workers.engine import call_engine
from safeconvert.workers.run import Run

_CALLS = 2  # that a model is observed on


def with_layers(
    run: Run, diagnosis: Diagnosis, pair: OnnxPair, source: NativeSide | None, target: NativeSide | None
) -> Diagnosis:
    """The diagnosis, its faults with the native layers of the nodes that they name, where these are found.

    Args:
        run: the surroundings.
        diagnosis: what the engine found.
        pair: the ONNX forms that it worked on.
        source, target: the native models; None where a model is ONNX itself.
    """
    if not diagnosis.faults:
        return diagnosis
    ours = _layers(run, source, pair.source_graph) if source is not None else {}
    theirs = _layers(run, target, pair.target_graph) if target is not None else {}
    return replace(diagnosis, faults=tuple(_named(fault, ours, theirs) for fault in diagnosis.faults))


def _named(fault: FaultRecord, ours: Mapping[str, str], theirs: Mapping[str, str]) -> FaultRecord:
    return replace(fault, source_layer=ours.get(fault.source, ""), target_layer=theirs.get(fault.target, ""))


def _layers(run: Run, side: NativeSide, graph: Path) -> Mapping[str, str]:
    """By ONNX node the native layer; {} where the model does not show its layers."""
    try:
        form = OnnxForm(side.check.adapter, str(graph), _contract(run, side, graph))
        problem = observed_problem(run, side, form, [int(number) for number in side.steering[:_CALLS]])
        found = call_engine(run, "explain_export", f"naming layers of the {side.role}", {"request": problem.to_json()})
    except SafeconvertError:
        return {}  # the ONNX names are there without it
    layers: Mapping[str, str] = found["layers"]
    return layers


def _contract(run: Run, side: NativeSide, graph: Path) -> Contract:
    """The contract of a native model and an ONNX form of it."""
    if side.check.contract is not None and side.exported.path == graph:
        return side.check.contract
    candidates = tuple(tuple(size or 0 for size in spec.shape) for spec in side.session.signature.inputs)
    session = open_model(run, "onnx", "onnx", ModelRequest(str(graph), candidate_shapes=candidates))
    return unchanged_contract(side.session.signature, session.signature)
