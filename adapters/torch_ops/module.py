"""A torch module that computes an ONNX graph, to be exported; nothing of it but its weights is in the exported program."""

from __future__ import annotations

import hashlib
import re

import ml_dtypes
import numpy as np
import onnx
import torch

from .._operators.read import constants, inputs
from .._operators.walk import walk
from .backend import TorchOps

_AS_LITERAL = 1 << 12  # elements that a constant which turns up only while exporting may have


class GraphModule(torch.nn.Module):
    """The graph as a module: matrices and larger are parameters, other constants buffers."""

    def __init__(self, model: onnx.ModelProto) -> None:
        super().__init__()
        self._model, self._initializers = model, constants(model)
        self._inputs = [name for name, _, _ in inputs(model)]
        self._names: dict[str, str] = {}
        self._keys = {id(value): name for name, value in self._initializers.items()}
        self._closed = False
        self.told: dict[str, str] = {}  # what parameters that are inputs were settled by, see `_operators.given`

    def close(self) -> None:
        """From now on, a constant that was not met before is no buffer; see `_constant`."""
        self._closed = True

    def forward(self, *tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """The graph's outputs."""
        backend = TorchOps(self._constant)
        outputs = walk(
            self._model, backend, dict(zip(self._inputs, tensors, strict=True)), self._initializers, self.told
        )
        if any(isinstance(output, list) for output in outputs):
            raise NotImplementedError("an output that is a sequence")
        made = tuple(
            backend.sizes_tensor(value)
            if isinstance(value, np.ndarray) and value.dtype == object
            else backend.tensor(value)
            for value in outputs
        )
        # the same tensor twice, or an input as output, is a copy of its own
        return (
            tuple(value.clone() for value in made)
            if len({id(v) for v in (*made, *tensors)}) < len(made) + len(tensors)
            else made
        )

    def _constant(self, array: np.ndarray) -> torch.Tensor:
        key = hashlib.sha256(
            repr((array.shape, array.dtype.name)).encode() + np.ascontiguousarray(array).tobytes()
        ).hexdigest()
        if key in self._names:
            return getattr(self, self._names[key])
        if self._closed:
            if array.size > _AS_LITERAL:
                raise NotImplementedError(f"a constant of {array.size} elements that depends on the batch")
            return torch.tensor(array.tolist(), dtype=getattr(torch, array.dtype.name))
        name = re.sub(r"\W+", "_", self._keys.get(id(array), "")).strip("_") or "constant"
        name = name if not name[0].isdigit() else f"v_{name}"
        taken = set(self._names.values())
        while name in taken or hasattr(self, name):
            stem, _, number = name.rpartition("_")
            name = f"{stem}_{int(number) + 1}" if stem and number.isdecimal() else f"{name}_1"
        tensor = as_tensor(array)
        if tensor.is_floating_point() and tensor.ndim >= 2:
            self.register_parameter(name, torch.nn.Parameter(tensor, requires_grad=False))
        else:
            self.register_buffer(name, tensor)
        self._names[key] = name
        return getattr(self, name)


def as_tensor(array: np.ndarray) -> torch.Tensor:
    """A copy of an array, bfloat16 included."""
    array = np.array(array, order="C")
    if array.dtype == ml_dtypes.bfloat16:
        return torch.from_numpy(array.view(np.int16)).view(torch.bfloat16)
    return torch.from_numpy(array)
