"""Run the engine on two graphs in memory."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx

from safeconvert.compare.contract import Contract
from safeconvert.compare.layout import TensorContract
from safeconvert.compare.settings import VerifySettings
from safeconvert.core.signature import TensorSpec
from safeconvert.graph.view import GraphView
from safeconvert.localize.settings import RepairSettings
from safeconvert.repair.engine.loop import Repair, repair
from safeconvert.repair.engine.problem import Chunk, Problem

SETTINGS = RepairSettings(600, 3, 3, 16, 1e-4, 12, ("PP", "ID", "TSS", "WB", "LH", "CG"), ("Conv", "Gemm", "MatMul"))


def specs(model: onnx.ModelProto) -> tuple[list[TensorSpec], list[TensorSpec]]:
    """Inputs and outputs of a model."""
    constants = {tensor.name for tensor in model.graph.initializer}

    def spec(value: onnx.ValueInfoProto) -> TensorSpec:
        tensor = value.type.tensor_type
        shape = tuple(size.dim_value or None for size in tensor.shape.dim)
        return TensorSpec(value.name, shape, str(onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type)))

    return [spec(v) for v in model.graph.input if v.name not in constants], [spec(v) for v in model.graph.output]


def problem(
    source: onnx.ModelProto, target: onnx.ModelProto | GraphView, feeds: dict[str, np.ndarray], folder: Path,
    order: tuple[int, ...] | None = None, **settings: object,
) -> Problem:  # fmt: skip
    """A repair of `target`, whose image inputs have the source's dimensions in `order`."""
    target = target.model if isinstance(target, GraphView) else target
    onnx.save(source, folder / "source.onnx")
    onnx.save(target, folder / "target.onnx")
    count = len(next(iter(feeds.values())))
    chunks = []
    for start in range(0, count, 32):
        files = {}
        for position, (name, array) in enumerate(feeds.items()):
            files[name] = str(folder / f"in-{start}-{position}.npy")
            np.save(files[name], array[start : start + 32])
        chunks.append(Chunk(start, min(start + 32, count), files))
    (ours, made), (theirs, got) = specs(source), specs(target)
    inputs = tuple(
        TensorContract(one, two, order if len(one.shape) == 4 else None, "")
        for one, two in zip(ours, theirs, strict=True)
    )
    outputs = tuple(TensorContract(one, two, None, "") for one, two in zip(made, got, strict=True))
    return Problem(
        str(folder / "source.onnx"), str(folder / "target.onnx"), Contract(inputs, outputs, ()),
        tuple(chunks), tuple(range(count)), VerifySettings(), replace(SETTINGS, **settings), str(folder),
    )  # fmt: skip


def solve(*arguments: object, **settings: object) -> Repair:
    """Repair, see `problem`."""
    return repair(problem(*arguments, **settings))
