"""torch → ONNX with `torch.onnx.export(dynamo=False)`: traces the module, runs TorchScript modules as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from safeconvert.adapting import UNCHANGED, ConvertRequest

from .._shared.torch_export import example_inputs, finish, output_names
from .._shared.torch_files import open_torch

_OPSET = 17  # the newest whose Reduce* axes are attributes; onnx2torch 1.5.15 and onnx2keras 0.0.25 read it best


def convert(request: Mapping[str, Any]) -> dict[str, Any]:
    """Export on zeros of the resolved shapes; a free batch stays free."""
    step = ConvertRequest.from_json(request)
    assert step.signature is not None
    module = open_torch(step.model).module
    inputs = [spec.name for spec in step.signature.inputs]
    outputs = output_names(step.signature)
    free = {spec.name: {0: "batch"} for spec in step.signature.inputs if spec.shape and spec.batch is None}
    if free:
        free |= {name: {0: "batch"} for name, spec in zip(outputs, step.signature.outputs, strict=True) if spec.shape}
    torch.onnx.export(
        module,
        example_inputs(step.signature),
        step.target,
        dynamo=False,
        input_names=inputs,
        output_names=outputs,
        dynamic_axes=free,
        opset_version=step.opset or _OPSET,
        training=torch.onnx.TrainingMode.EVAL if isinstance(module, torch.nn.Module) else None,
    )
    finish(step)
    return UNCHANGED.to_json()
