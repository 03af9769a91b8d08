"""ONNX → PyTorch with onnx2torch, saved so that torch alone loads it: `.pt2` by torch.export, `.pt` by torch.jit.trace.

With arguments of its own it is the drop-in: the module itself is pickled, as onnx2torch makes it of the graph as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import onnx
import torch

from safeconvert.adapter_api.protocol import UNCHANGED, ConvertRequest
from safeconvert.rewrite.legalize import legalise, preloaded, rules_of

from .._shared.torch_files import declare_torchvision_operators

declare_torchvision_operators()
import onnx2torch  # noqa: E402 - imports torchvision, which needs the declarations above
from onnx2torch.node_converters.registry import _CONVERTER_REGISTRY  # noqa: E402

from .standalone import export_program  # noqa: E402

PRELOADED = (*preloaded(__file__), "torch.export._trace")
_OPSET = 17  # the newest that onnx2torch 1.5.15 knows
_READS = frozenset(
    known.operation_type
    for known in _CONVERTER_REGISTRY
    if onnx.defs.has(known.operation_type, _OPSET, "")
    and onnx.defs.get_schema(known.operation_type, _OPSET, "").since_version == known.version
)


def convert(request: Mapping[str, Any]) -> dict[str, Any]:
    """Convert and save; a free batch stays free where torch.export can keep it so."""
    step = ConvertRequest.from_json(request)
    if step.arguments:
        torch.save(_as_it_is(step), step.target)
        return UNCHANGED.to_json()
    legal = legalise(onnx.load(step.model.path), rules_of(__file__), _READS)
    model, moved = legal.model, replace(UNCHANGED, notes=legal.notes())
    module = onnx2torch.convert(model)
    module.eval()  # onnx2torch 1.5.15 hands it back in training mode
    module.requires_grad_(False)
    initializers = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in initializers]
    if step.target.endswith(".pt"):
        with torch.inference_mode():
            traced = torch.jit.trace(module, tuple(_example(value, 1) for value in inputs), check_trace=False)
        torch.jit.save(traced, step.target)
        return moved.to_json()
    free = [not _batch(value) for value in inputs]
    program = export_program(module, tuple(_example(value, 2) for value in inputs), free)
    torch.export.save(program, step.target)
    return moved.to_json()


def _as_it_is(step: ConvertRequest) -> torch.nn.Module:
    """What `onnx2torch.convert` makes of the file; of the graph in simpler operators where it cannot convert that."""
    model = onnx.load(step.model.path)  # of a path, onnx2torch writes a file beside it, where a worker may not
    try:
        module = onnx2torch.convert(model, **step.arguments)
    except Exception:  # noqa: BLE001 - onnx2torch raises anything; the second try has the last word
        legal = legalise(model, rules_of(__file__), _READS)
        module = onnx2torch.convert(legal.model, **step.arguments)
    return module.eval()


def _batch(value: onnx.ValueInfoProto) -> int:
    dims = value.type.tensor_type.shape.dim
    return dims[0].dim_value if dims else 1


def _example(value: onnx.ValueInfoProto, batch: int) -> torch.Tensor:
    """Zeros of an input's shape; a free batch gets `batch` samples, any other free dimension 1."""
    tensor = value.type.tensor_type
    shape = [d.dim_value or (batch if axis == 0 else 1) for axis, d in enumerate(tensor.shape.dim)]
    return torch.from_numpy(np.zeros(shape, onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type)))
