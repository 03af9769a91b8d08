"""What both torch → ONNX exporters share: example inputs, names, and a check of the file made."""

from __future__ import annotations

from pathlib import Path

import onnx
import torch

from safeconvert.adapter_api.protocol import ConvertRequest
from safeconvert.core.signature import Signature


def example_inputs(signature: Signature, batch: int = 1) -> tuple[torch.Tensor, ...]:
    """Zeros of the declared shapes; a free batch gets `batch` samples."""
    return tuple(
        torch.zeros([batch if size is None else size for size in spec.shape], dtype=getattr(torch, spec.dtype))
        for spec in signature.inputs
    )


def output_names(signature: Signature) -> list[str]:
    """Output names that clash with no input name."""
    taken = {spec.name for spec in signature.inputs}
    return [f"{spec.name}_out" if spec.name in taken else spec.name for spec in signature.outputs]


def finish(step: ConvertRequest) -> None:
    """Keep the weights inside the file where they fit, and let onnx.checker have its say.

    An exporter that moved them to `<name>.data` beside the file would make a target of two files for no need.
    """
    model = onnx.load(step.target)
    if model.ByteSize() < 2**31 - 1:
        onnx.save(model, step.target)
        for data in Path(step.target).parent.glob(Path(step.target).name + ".data"):
            data.unlink()
    onnx.checker.check_model(step.target)
