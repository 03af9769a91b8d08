"""PyTorch → TFLite with litert-torch, in float32; inputs and outputs keep their order of dimensions.

The batch is fixed: litert-torch 0.10 cannot lower a Flatten of a free one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import litert_torch
import torch

from safeconvert.adapter_api.protocol import UNCHANGED, ConvertRequest
from safeconvert.core.signature import Signature
from safeconvert.errors import UnusableInput

from .._shared.torch_files import open_torch


def convert(request: Mapping[str, Any]) -> dict[str, Any]:
    """Convert by torch.export; a TorchScript archive is first made an ExportedProgram by torch's own converter."""
    step = ConvertRequest.from_json(request)
    assert step.signature is not None
    if step.optimize != "none":
        raise UnusableInput(f"litert_torch: makes float32 files only, not --optimize {step.optimize}")
    file, example = open_torch(step.model), _example(step.signature)
    module = file.module
    if file.kind == "torchscript":
        from torch._export.converter import TS2EPConverter

        module = TS2EPConverter(module, example).convert().module()
    litert_torch.convert(module, example).export(step.target)
    return UNCHANGED.to_json()


def _example(signature: Signature) -> tuple[torch.Tensor, ...]:
    """Zeros of the declared shapes, one sample where the batch is free."""
    return tuple(
        torch.zeros([size or 1 for size in spec.shape], dtype=getattr(torch, spec.dtype)) for spec in signature.inputs
    )
