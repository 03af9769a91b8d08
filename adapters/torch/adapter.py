"""Runs PyTorch models natively, on the CPU, in inference mode."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from safeconvert.adapter_api.changes import Changes
from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.adapter_api.weights import replacements
from safeconvert.core.signature import Signature, TensorSpec
from safeconvert.errors import UnusableInput

from .._shared.torch_files import TorchFile, open_torch
from .layers import set_in_module, set_in_program
from .shapes import declared_inputs, flatten_outputs, probe_inputs


class TorchModel:
    """A module with its resolved signature."""

    def __init__(self, file: TorchFile, signature: Signature) -> None:
        self._file = file
        self._signature = signature

    def signature(self) -> Signature:
        """Inputs by forward()'s argument names; outputs `output` or `output_0`, `output_1`, …"""
        return self._signature

    def predict(self, feeds: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Outputs of one batch."""
        arguments = [torch.from_numpy(np.ascontiguousarray(feeds[spec.name])) for spec in self._signature.inputs]
        with torch.inference_mode():
            outputs = flatten_outputs(self._file.module(*arguments))
        return {
            spec.name: tensor.detach().cpu().numpy()
            for spec, tensor in zip(self._signature.outputs, outputs, strict=True)
        }


def load(request: Mapping[str, Any]) -> TorchModel:
    """Open a torch file; shapes that the format does not declare are probed (see `shapes`)."""
    model = ModelRequest.from_json(request)
    file = open_torch(model)
    inputs = declared_inputs(file.program) if file.program is not None else probe_inputs(file.module, model)
    outputs = _output_specs(file.module, inputs)
    return TorchModel(file, Signature(inputs, outputs))


def _output_specs(module: Any, inputs: tuple[TensorSpec, ...]) -> tuple[TensorSpec, ...]:
    """Run once on zeros to see how many outputs there are and of what type; on ones where it divides by an integer."""
    sizes = [[1 if size is None else size for size in spec.shape] for spec in inputs]
    kinds = [getattr(torch, spec.dtype) for spec in inputs]
    with torch.inference_mode():
        try:
            outputs = flatten_outputs(module(*map(_zeros, sizes, kinds)))
        except RuntimeError as error:
            if "ZeroDivision" not in str(error):
                raise
            outputs = flatten_outputs(
                module(*(_zeros(size, kind) + 1 for size, kind in zip(sizes, kinds, strict=True)))
            )
    free_batch = any(spec.batch is None for spec in inputs)
    names = ["output"] if len(outputs) == 1 else [f"output_{position}" for position in range(len(outputs))]
    return tuple(
        TensorSpec(
            name=name,
            shape=tuple(None if axis == 0 and free_batch else size for axis, size in enumerate(tensor.shape)),
            dtype=str(tensor.dtype).removeprefix("torch."),
        )
        for name, tensor in zip(names, outputs, strict=True)
    )


def _zeros(size: list[int], kind: torch.dtype) -> torch.Tensor:
    return torch.zeros(size, dtype=kind)


def patch(request: Mapping[str, Any], changes: str, target: str) -> None:
    """Write the model with other weights and attributes. Raises UnusableInput where a change is not found in it."""
    wanted = Changes.load(changes)
    file = open_torch(ModelRequest.from_json(request))
    holder = file.program if file.program is not None else file.module
    tensors = dict(holder.state_dict() if callable(holder.state_dict) else holder.state_dict)
    tensors |= {name: value for name, value in getattr(holder, "constants", {}).items() if torch.is_tensor(value)}
    found = replacements({name: value.detach().numpy() for name, value in tensors.items()}, wanted.constants)
    if wanted.attributes and file.program is not None:
        set_in_program(file.program, wanted.attributes)
    elif wanted.attributes and file.kind != "torchscript":
        set_in_module(file.module, wanted.attributes)
    elif wanted.attributes:
        raise UnusableInput(f"{request['path']}: TorchScript holds attributes in its code")
    with torch.no_grad():
        for name, value in found.items():
            tensors[name].copy_(torch.from_numpy(value))
    if file.program is not None:
        torch.export.save(file.program, target)
    elif file.kind == "torchscript":
        torch.jit.save(file.module, target)
    else:
        torch.save(file.module, target)
