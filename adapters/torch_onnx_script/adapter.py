"""torch → ONNX with `torch.onnx.export(dynamo=False)`: traces the module, runs TorchScript modules as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import onnx
import torch

from safeconvert.adapter_api.protocol import UNCHANGED, ConvertRequest
from safeconvert.errors import UnusableInput

from .._shared.torch_export import example_inputs, finish, output_names
from .._shared.torch_files import open_torch
from . import attention, division, packing
from .open_sizes import with_open_sizes

PRELOADED = tuple(
    f"torch.onnx._internal.torchscript_exporter.symbolic_opset{number}" for number in (7, 8, *range(11, 21))
)
"""What the first export imports."""
_OPSET = 17  # the newest whose Reduce* axes are attributes; onnx2torch 1.5.15 and onnx2keras 0.0.25 read it best


def convert(request: Mapping[str, Any]) -> dict[str, Any]:
    """Export on zeros of the resolved shapes; a free batch stays free.

    Raises:
        UnusableInput: an ExportedProgram; traced once more it loses its free sizes and unread inputs (torch 2.13).
    """
    step = ConvertRequest.from_json(request)
    assert step.signature is not None
    attention.register()
    division.register()
    packing.register()
    file = open_torch(step.model)
    module = file.module
    if step.arguments:
        return _as_asked(step, module, dict(step.arguments))
    example = example_inputs(step, module)
    if file.program is not None:
        raise UnusableInput("an ExportedProgram is not traced again", "the dynamo exporter takes it as it is")
    batch = _free_batch(step)
    if step.keep_open:
        reply = with_open_sizes(step, module, example, lambda axes: _export(step, module, example, batch | axes))
        if reply is not None:
            return reply.to_json()
    _export(step, module, example, batch)
    finish(step)
    return UNCHANGED.to_json()


def _free_batch(step: ConvertRequest) -> dict[str, dict[int, str]]:
    """The free axes of inputs and outputs: of the batch."""
    assert step.signature is not None
    free = {spec.name: {0: "batch"} for spec in step.signature.inputs if spec.shape and spec.batch is None}
    if free:
        outputs = zip(output_names(step.signature), step.signature.outputs, strict=True)
        free |= {name: {0: "batch"} for name, spec in outputs if spec.shape}
    return free


def _export(
    step: ConvertRequest, module: Any, example: tuple[torch.Tensor, ...], free: dict[str, dict[int, str]]
) -> None:
    assert step.signature is not None
    torch.onnx.export(
        module,
        example,
        step.target,
        dynamo=False,
        input_names=[spec.name for spec in step.signature.inputs],
        output_names=output_names(step.signature),
        dynamic_axes=free,
        opset_version=step.opset or _OPSET,
        training=torch.onnx.TrainingMode.EVAL if isinstance(module, torch.nn.Module) else None,
    )


def _as_asked(step: ConvertRequest, module: Any, own: dict[str, Any]) -> dict[str, Any]:
    """The drop-in: with the caller's own arguments, and the exporter's defaults for all others."""
    assert step.signature is not None
    dtypes = [getattr(torch, spec.dtype) for spec in step.signature.inputs]
    example = tuple(torch.zeros(shape, dtype=dtype) for shape, dtype in zip(own.pop("shapes"), dtypes, strict=True))
    axes = {
        name: {int(axis): label for axis, label in given.items()} if isinstance(given, dict) else given
        for name, given in (own.pop("dynamic_axes") or {}).items()
    }
    torch.onnx.export(
        module, example, step.target, dynamo=False, opset_version=step.opset or None, dynamic_axes=axes or None, **own
    )
    onnx.checker.check_model(step.target)
    return UNCHANGED.to_json()
