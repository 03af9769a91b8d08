"""torch → ONNX with `torch.onnx.export(dynamo=True)`.

A TorchScript archive is first made an ExportedProgram by torch's own TS2EPConverter, since torch.export takes none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from safeconvert.adapting import UNCHANGED, ConvertRequest

from .._shared.torch_export import example_inputs, finish, output_names
from .._shared.torch_files import TorchFile, open_torch


def convert(request: Mapping[str, Any]) -> dict[str, Any]:
    """Export; a free batch stays free where torch.export can keep it so."""
    step = ConvertRequest.from_json(request)
    assert step.signature is not None
    program = _program(open_torch(step.model), step)
    exported = torch.onnx.export(
        program,
        dynamo=True,
        input_names=[spec.name for spec in step.signature.inputs],
        output_names=output_names(step.signature),
        opset_version=step.opset or None,
        verbose=False,
    )
    assert exported is not None
    exported.save(step.target, external_data=False)
    finish(step)
    return UNCHANGED.to_json()


def _program(file: TorchFile, step: ConvertRequest) -> Any:
    assert step.signature is not None
    if file.program is not None:
        return file.program
    if file.kind == "torchscript":
        from torch._export.converter import TS2EPConverter

        return TS2EPConverter(file.module, example_inputs(step.signature)).convert()
    free = any(spec.batch is None for spec in step.signature.inputs)
    shapes = tuple({0: torch.export.Dim.AUTO} if free else {} for _ in step.signature.inputs)
    return torch.export.export(
        file.module, example_inputs(step.signature, batch=2 if free else 1), dynamic_shapes=shapes
    )
