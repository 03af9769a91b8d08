"""Faults put into an exporter's graph: named by the native model's layers, and undone with the other exporter's nodes?"""

from __future__ import annotations

import time

import numpy as np
import onnx
from fault_cases import Case, effective, lost
from native_nets import CALLS, ROWS, NativeNet
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from safeconvert.adapter_api.intermediates import NativeTensor
from safeconvert.compare.contract import Contract
from safeconvert.core.signature import Signature
from safeconvert.graph.view import GraphView, tidy
from safeconvert.repair.engine.export_problem import ExportProblem, OnnxForm
from safeconvert.repair.engine.exports import explain
from safeconvert.verification.native import unchanged_contract
from tests.engine import SETTINGS, specs
from tests.inject import INJECTORS, inject
from tests.onnx_models import run


def export_case(net: NativeNet, seed: int) -> Case | None:
    """One to three faults in the first exporter's graph; None where they change no output."""
    (name, right), *others = net.forms.items()
    random = np.random.default_rng([seed, 77])
    kinds = [list(INJECTORS)[random.integers(len(INJECTORS))] for _ in range(1 + seed % 3)]
    view, injected = inject(right, kinds, seed)
    feeds = {view.inputs[0]: next(iter(net.feeds.values()))}
    changing = effective(view, injected, feeds, tidy(right)) if injected else []
    if not changing or _equal(net, view.model):
        return None
    began = time.perf_counter()
    answer = explain(_problem(net, view, dict(others), name))
    seconds = time.perf_counter() - began
    hits: set[int] = set()
    wrong: list[str] = []
    for fault in answer["faults"]:
        nodes = {node.rpartition(" (")[0] for node in fault["nodes"]}
        named = [number for number, one in enumerate(injected) if nodes & one.targets]
        hits.update(named)
        wrong += [] if named else [str(fault["layer"])]
    left = [one for number, one in enumerate(injected) if one in changing and number not in hits]
    missed = tuple(one.kind for one in left)
    repaired = bool(answer["assembled"]) and _equal(net, onnx.load(answer["assembled"]))
    return Case(
        len(changing), len(injected) - len(changing), len(changing) - len(missed), len(answer["faults"]), len(wrong), repaired,
        len(missed), seconds, None, tuple(one.kind for one in changing), missed, lost(seed, injected, left, wrong, repaired),
    )  # fmt: skip


def _problem(net: NativeNet, view: GraphView, others: dict[str, onnx.ModelProto], name: str) -> ExportProblem:
    wrong = net.folder / "wrong.onnx"
    onnx.save(view.model, wrong)
    donors = []
    for other, model in others.items():
        path = net.folder / f"{other}.onnx"
        onnx.save(model, path)
        donors.append(OnnxForm(other, str(path), _contract(net, model)))
    outputs = []
    for number in range(CALLS):
        files = {key: str(net.folder / f"out-{number}-{key}.npy") for key in net.outputs}
        for key, array in net.outputs.items():
            np.save(files[key], array[ROWS * number : ROWS * (number + 1)])
        outputs.append(files)
    feeds = tuple({key: str(net.folder / f"in-{number}.npy") for key in net.feeds} for number in range(CALLS))
    return ExportProblem(
        OnnxForm(name, str(wrong), _contract(net, view.model)), tuple(donors),
        tuple(NativeTensor.from_json(one) for one in net.tensors), feeds, tuple(outputs), SETTINGS.rtol, str(net.folder),
    )  # fmt: skip


def _contract(net: NativeNet, model: onnx.ModelProto) -> Contract:
    inputs, outputs = specs(model)
    return unchanged_contract(net.signature, Signature(tuple(inputs), tuple(outputs)))


def _equal(net: NativeNet, model: onnx.ModelProto) -> bool:
    """Whether a graph gives what the native model gives on all samples."""
    (wanted,) = net.outputs.values()
    inputs, _ = specs(model)
    try:
        (got,) = run(model, {inputs[0].name: next(iter(net.feeds.values()))})[:1]
    except (ort_errors.Fail, ort_errors.InvalidArgument, ort_errors.RuntimeException):
        return False
    return got.shape == wanted.shape and bool(
        np.allclose(got, wanted, rtol=1e-3, atol=1e-4 * float(np.abs(wanted).max()))
    )
