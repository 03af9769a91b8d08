"""Faults in a target whose weights and activations have eight bits: named among the noise of the rounding, and undone?"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np
import onnx
from fault_cases import Case, effective, lost
from onnx import helper, numpy_helper

from safeconvert.graph.execution import run_part
from safeconvert.graph.view import GraphView, tidy
from tests.engine import solve
from tests.inject import INJECTORS, inject
from tests.onnx_models import run

_STORED = ("Conv", "Gemm", "MatMul")
_AS_GOOD = (
    1.5  # how many times farther than the target without faults a repaired one may be: weights put in are not rounded
)


def int8_case(source: onnx.ModelProto, shape: tuple[int, ...], seed: int) -> Case | None:
    """One or two faults; None where they change less than the rounding does."""
    random = np.random.default_rng([seed, 8, *shape])
    kinds = [list(INJECTORS)[random.integers(len(INJECTORS))] for _ in range(1 + seed % 2)]
    feeds = {tidy(source).inputs[0]: random.normal(size=(10, *shape)).astype(np.float32)}
    view, injected = inject(source, kinds, seed)
    changing = effective(view, injected, feeds, tidy(source)) if injected else []
    plain = tidy(source)
    right, wrong = quantized(plain, view, feeds), quantized(view, plain, feeds)  # of the same ranges
    near, far = _distance(source, right, feeds), _distance(source, wrong, feeds)
    if not changing or far < 3 * near:
        return None
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        result = solve(source, wrong, feeds, Path(folder), barren_rounds=1)
        seconds = time.perf_counter() - began
    hits: set[int] = set()
    mistaken: list[str] = []
    for fault in result.faults:
        target = fault.target.removesuffix("::q").removesuffix("::dq")  # the rounding of a node's output is the node's
        named = [number for number, one in enumerate(injected) if target in one.targets or fault.source in one.sources]
        hits.update(named)
        mistaken += [] if named else [f"{fault.kind} {fault.target}"]
    left = [one for number, one in enumerate(injected) if one in changing and number not in hits]
    missed = tuple(one.kind for one in left)
    repaired = _distance(source, result.candidate.model, feeds) <= _AS_GOOD * near
    return Case(
        len(changing), len(injected) - len(changing), len(changing) - len(missed), len(result.faults), len(mistaken), repaired,
        len(missed), seconds, None, tuple(one.kind for one in changing), missed, lost(seed, injected, left, mistaken, repaired),
    )  # fmt: skip


def quantized(view: GraphView, calibrated: GraphView, feeds: dict[str, np.ndarray]) -> onnx.ModelProto:
    """The graph with int8 weights, and every inner float tensor rounded to 255 steps of its range on these inputs.

    A range holds what the tensor is in the graph itself and in the one that it was calibrated on, so that nothing is cut off.
    """
    model = onnx.ModelProto.FromString(view.model.SerializeToString())
    outputs = {value.name for value in model.graph.output}
    (values,), (others,) = run_part(view, [feeds]), run_part(calibrated, [feeds])
    nodes = []
    constants = view.constants
    for node in list(model.graph.node):
        if node.op_type in _STORED and node.input[1] in constants and constants[node.input[1]].dtype == np.float32:
            nodes.append(_stored(model, node, constants[node.input[1]]))
        nodes.append(node)
        for place, name in enumerate(node.output):
            value = values.get(name)
            if name in outputs or value is None or value.dtype != np.float32:
                continue
            node.output[place] = f"{name}::real"
            both = [value, others.get(name, value)]
            low, high = min(0.0, *(float(one.min()) for one in both)), max(0.0, *(float(one.max()) for one in both))
            scale = max((high - low) / 255, 1e-12)
            zero = np.array(round(-low / scale) - 128, np.int8)
            steps = [f"{name}::scale", f"{name}::zero"]
            for array, step in zip((np.array(scale, np.float32), zero), steps, strict=True):
                model.graph.initializer.append(numpy_helper.from_array(array, step))
            nodes.append(helper.make_node("QuantizeLinear", [f"{name}::real", *steps], [f"{name}::int8"], f"{name}::q"))
            nodes.append(helper.make_node("DequantizeLinear", [f"{name}::int8", *steps], [name], f"{name}::dq"))
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    del model.graph.value_info[:]
    return model


def _stored(model: onnx.ModelProto, node: onnx.NodeProto, weights: np.ndarray) -> onnx.NodeProto:
    name = node.input[1]
    scale = max(float(np.abs(weights).max()) / 127, 1e-12)
    held = np.clip(np.round(weights / scale), -127, 127).astype(np.int8)
    parts = (held, np.array(scale, np.float32), np.array(0, np.int8))
    names = [f"{node.name}::{part}" for part in ("int8", "scale", "zero")]
    model.graph.initializer.extend(
        numpy_helper.from_array(array, part) for array, part in zip(parts, names, strict=True)
    )
    node.input[1] = f"{node.name}::weights"
    assert name
    return helper.make_node("DequantizeLinear", names, [node.input[1]], f"{node.name}::unpack")


def _distance(source: onnx.ModelProto, target: onnx.ModelProto, feeds: dict[str, np.ndarray]) -> float:
    """Largest distance of the outputs, of the source's scale; inf where they have other shapes."""
    wanted, got = (run(model, feeds)[0] for model in (source, target))
    return float(np.abs(wanted - got).max() / np.abs(wanted).max()) if wanted.shape == got.shape else float("inf")
