"""The engine's side of an exporter's faults: its graph compared with the native model, and put right with other exporters' nodes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from safeconvert.graph.nodes import opset_of
from safeconvert.graph.opset import at_least, at_most
from safeconvert.graph.view import GraphView, tidy
from safeconvert.localize.alignment import Alignment
from safeconvert.localize.donors import led_past, transplanted
from safeconvert.localize.native import Observed, align_native, export_faults, layer_names
from safeconvert.repair.engine.export_problem import ExportProblem, OnnxForm

ASSEMBLED = "assembled.onnx"
_NOTHING = "leaving it out"
"""What stands for an exporter where the nodes that are wrong do nothing in the native model."""


def explain(problem: ExportProblem) -> dict[str, Any]:
    """Where a graph leaves its native model, and whether other exporters' nodes put it right.

    Returns:
        `faults` as `ExportFault`s; `layers`, the native layer of each ONNX node; and `assembled`, the graph with all its faults
        replaced, "" where there are none or one has no right nodes.
    """
    model = onnx.load(problem.form.path)
    view = tidy(model)
    ours = align_native(_observed(problem, problem.form), view, problem.rtol)
    faults = list(export_faults(ours))
    theirs: dict[str, Alignment] = {}
    if faults:
        for donor in problem.donors:
            other = _same_opset(donor, view)
            if other is not None:
                theirs[donor.adapter] = align_native(_observed(problem, donor), other, problem.rtol)
    candidate = view
    for number, region in enumerate(ours.regions):
        past = led_past(candidate, ours, region, problem.rtol)
        if past is not None:
            candidate, faults[number] = past, replace(faults[number], replaced=_NOTHING)
            continue
        for name, alignment in theirs.items():
            made = transplanted(candidate, ours, region, alignment, problem.rtol)
            if made is not None:
                candidate, faults[number] = made, replace(faults[number], replaced=name)
                break
    assembled = ""
    if faults and all(fault.replaced for fault in faults):
        assembled = str(Path(problem.folder) / ASSEMBLED)
        onnx.save(candidate.model, assembled)
    return {"faults": [fault.to_json() for fault in faults], "layers": layer_names(ours), "assembled": assembled}


def _observed(problem: ExportProblem, form: OnnxForm) -> Observed:
    feeds = tuple({name: np.load(path, allow_pickle=False) for name, path in call.items()} for call in problem.feeds)
    outputs = {
        name: [np.load(call[name], allow_pickle=False) for call in problem.outputs] for name in problem.outputs[0]
    }
    return Observed(problem.tensors, feeds, outputs, form.contract)


def _same_opset(donor: OnnxForm, view: GraphView) -> GraphView | None:
    """Another exporter's graph in the operator set of the one that is wrong; None where it cannot be expressed in it."""
    opset = view.opset
    model = at_least(at_most(onnx.load(donor.path), opset), opset)
    return tidy(model) if opset_of(model) == opset else None
