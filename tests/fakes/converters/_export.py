"""A real export, for the fakes that then do something else with it."""

from __future__ import annotations

import torch

from safeconvert.adapter_api.protocol import UNCHANGED, ConvertRequest


def export(request: dict) -> ConvertRequest:
    """Write what torch.onnx.export makes of the source to the target's path."""
    step = ConvertRequest.from_json(request)
    module = torch.jit.load(step.model.path).eval()
    (spec,) = step.signature.inputs
    example = torch.zeros([size or 2 for size in spec.shape])
    torch.onnx.export(
        module,
        (example,),
        step.target,
        dynamo=False,
        input_names=["input"],
        output_names=["output"],
        dynamic_axes={"input": {0: "batch"}, "output": {0: "batch"}},
    )
    return step


def reply() -> dict:
    """No dimension moved."""
    return UNCHANGED.to_json()
