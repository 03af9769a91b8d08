"""ID faults: a target whose inputs are of other sizes than the source's, or which gives more outputs.

Such a target cannot be compared with the source as it is. Its ONNX form is given the source's input sizes (in the order of
dimensions in which most of them agree) and only the outputs that correspond to the source's; what it computes with them is then
verified, localized and repaired like any other candidate. Source: FetaFix (Louloudakis et al., EASE 2025), sections 4.1.2
and 4.2.2, and its cases 9, 11 and 13.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from safeconvert.adapter_api.protocol import ModelRequest, Permutation
from safeconvert.compare.contract import Contract
from safeconvert.compare.layout import (
    LayoutAmbiguous,
    LayoutMismatch,
    TensorContract,
    align_dimensions,
    orders,
    show,
    undo_permutation,
)
from safeconvert.conversion.models import evaluate, open_model
from safeconvert.core.faults import Change, FaultKind, FaultRecord
from safeconvert.core.signature import Signature, TensorSpec
from safeconvert.verification.native import feed_across
from safeconvert.verification.source import Source
from safeconvert.workers.engine import call_engine
from safeconvert.workers.run import Run
from safeconvert.workers.session import load_files


@dataclass(frozen=True)
class Matched:
    """A target's ONNX form with the source's interface.

    Attributes:
        path: the ONNX file.
        signature: its inputs and outputs.
        contract: which of them correspond to the source's.
        faults: what was changed.
    """

    path: Path
    signature: Signature
    contract: Contract
    faults: tuple[FaultRecord, ...]


def match_interface(run: Run, source: Source, target: Signature, graph: Path) -> Matched:
    """Give a target's ONNX form the source's input sizes and outputs.

    Args:
        run: the surroundings.
        source: evaluated.
        target: signature of the native target.
        graph: its ONNX form, with inputs and outputs in the same order.

    Raises:
        LayoutMismatch: another number of inputs or of dimensions, or no output that could be the source's.
        AdapterFailure: the graph does not run on inputs of these sizes.
    """
    ours = fed_signature(source)
    inputs, faults = _inputs(ours, target)
    path = run.folder("interface") / "resized.onnx"
    shapes = [list(tensor.target.shape) for tensor in inputs]
    call_engine(run, "resize_inputs", "resizing inputs", {"path": str(graph), "target": str(path), "shapes": shapes})
    session = open_model(run, "onnx", "onnx", ModelRequest(str(path)))
    names = session.signature.inputs
    inputs = [
        TensorContract(
            tensor.source, TensorSpec(spec.name, tensor.target.shape, spec.dtype), tensor.permutation, tensor.reason
        )
        for tensor, spec in zip(inputs, names, strict=True)
    ]
    chunk = source.data.chunks[:1]
    feeds = feed_across(Contract(tuple(inputs), (), ()), chunk, run.folder("feed"))
    given = load_files(evaluate(run, session, feeds, "running the target (ONNX)").outputs[0])
    wanted = load_files(source.outputs.outputs[0])
    outputs, positions = _outputs(ours, session.signature, wanted, given)
    dropped = [spec for position, spec in enumerate(target.outputs) if position not in positions]
    if dropped:
        kept = path.with_name("kept.onnx")
        arguments = {"path": str(path), "target": str(kept), "positions": positions}
        call_engine(run, "keep_outputs", "dropping outputs", arguments)
        path = kept
        faults += [_extra_output(spec) for spec in dropped]
    contract = Contract(tuple(inputs), tuple(outputs), ())
    signature = Signature(tuple(t.target for t in inputs), tuple(t.target for t in outputs))
    return Matched(path, signature, contract, tuple(faults))


def fed_signature(source: Source) -> Signature:
    """The source's signature with the sizes that it is really fed, but for the batch."""
    sizes = {
        name: np.load(path, mmap_mode="r", allow_pickle=False).shape
        for name, path in source.data.chunks[0].arrays.items()
    }
    inputs = tuple(
        TensorSpec(spec.name, (*spec.shape[:1], *sizes[spec.name][1:]), spec.dtype, spec.layout, spec.quantization)
        for spec in source.session.signature.inputs
    )
    return Signature(inputs, source.session.signature.outputs)


def _inputs(source: Signature, target: Signature) -> tuple[list[TensorContract], list[FaultRecord]]:
    """Each source input with the target's under the order in which most sizes agree, at the source's sizes."""
    if len(source.inputs) != len(target.inputs):
        raise LayoutMismatch(f"the source has {len(source.inputs)} inputs and the target {len(target.inputs)}")
    named = {spec.name: spec for spec in target.inputs}
    by_name = named.keys() == {spec.name for spec in source.inputs}
    found, faults = [], []
    for position, one in enumerate(source.inputs):
        two = named[one.name] if by_name else target.inputs[position]
        order = _order(one, two)
        wanted = tuple(one.shape[axis] for axis in order)
        shape = (two.shape[0], *wanted[1:])  # the batch is the target's own matter
        if not all(a is None or a == b for a, b in zip(two.shape[1:], shape[1:], strict=True)):
            faults.append(_other_size(one, two, shape))
        permutation = None if order == tuple(range(len(order))) else order
        fixed = TensorSpec(two.name, shape, two.dtype, two.layout)
        found.append(TensorContract(one, fixed, permutation, "the order in which most sizes agree"))
    return found, faults


def _order(one: TensorSpec, two: TensorSpec) -> Permutation:
    rank = len(one.shape)
    if rank != len(two.shape):
        raise LayoutMismatch(f"source {show(one)} and target {show(two)} have other numbers of dimensions")
    candidates = orders(rank)
    support = [sum(one.shape[axis] == two.shape[j] for j, axis in enumerate(order) if j) for order in candidates]
    return candidates[support.index(max(support))]


def _outputs(
    source: Signature,
    target: Signature,
    wanted: dict[str, np.ndarray[Any, Any]],
    given: dict[str, np.ndarray[Any, Any]],
) -> tuple[list[TensorContract], list[int]]:
    """For each source output the target's: by name, else the nearest in value of those whose shapes fit.

    Values may choose here, since a choice hides nothing: superfluous outputs are reported, and the rest is verified.
    """
    names = {spec.name: position for position, spec in enumerate(target.outputs)}
    by_name = all(spec.name in names for spec in source.outputs)
    found: list[TensorContract] = []
    positions: list[int] = []
    for one in source.outputs:
        options = [names[one.name]] if by_name else [n for n in range(len(target.outputs)) if n not in positions]
        fitting = []
        for position in options:
            try:
                tensor = align_dimensions(one, target.outputs[position])
            except (LayoutMismatch, LayoutAmbiguous):
                continue
            apart = _apart(wanted[one.name], undo_permutation(given[target.outputs[position].name], tensor.permutation))
            fitting.append((apart, position, tensor))
        if not fitting:
            listed = ", ".join(show(spec) for spec in target.outputs)
            raise LayoutMismatch(f"no output of the target ({listed}) can be the source's {show(one)}")
        _, position, tensor = min(fitting, key=lambda each: each[:2])
        found.append(tensor)
        positions.append(position)
    return found, positions


def _apart(ours: np.ndarray[Any, Any], theirs: np.ndarray[Any, Any]) -> float:
    if ours.shape != theirs.shape or ours.dtype.kind not in "fiub" or theirs.dtype.kind not in "fiub":
        return float("inf")
    distance = float(np.abs(ours.astype(np.float64) - theirs.astype(np.float64)).max(initial=0.0))
    return distance if np.isfinite(distance) else float("inf")


def _other_size(one: TensorSpec, two: TensorSpec, shape: Sequence[int | None]) -> FaultRecord:
    evidence = f"source {show(one)}, target {show(two)}; the target is given {list(shape)}"
    return _fault(FaultKind.INPUT_DIMENSIONS, one.name, two.name, "input", Change.DIFFERENT, evidence)


def _extra_output(spec: TensorSpec) -> FaultRecord:
    evidence = f"output {show(spec)} is not the source's"
    return _fault(FaultKind.COMPUTATION_GRAPH, "", spec.name, "output", Change.ADDED, evidence)


def _fault(kind: FaultKind, source: str, target: str, operator: str, change: Change, evidence: str) -> FaultRecord:
    return FaultRecord(kind, source, target, operator, change, evidence, math.inf, math.inf, proven=True)
