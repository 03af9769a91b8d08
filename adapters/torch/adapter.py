"""Runs PyTorch models natively, on the CPU, in inference mode."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from safeconvert.adapter_api.changes import Changes
from safeconvert.adapter_api.intermediates import Intermediate
from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.adapter_api.weights import replacements
from safeconvert.core.signature import Signature, TensorSpec
from safeconvert.errors import UnusableInput

from .._shared.torch_files import TorchFile, open_torch
from .._shared.torch_trees import Call, module_call, named_outputs, program_call, tensor_inputs
from .._shared.torch_trial import given_values, run_once, trials
from .declared import declared_inputs
from .layers import set_in_module, set_in_program
from .methods import uncalled_methods
from .observe import observe
from .part import cut
from .purity import Watch
from .shapes import argument_names, probe_inputs
from .training import in_training, steered  # called by name

__all__ = ["cut", "in_training", "load", "patch", "steered"]
_OFTEN = 3
"""Calls of one shape past which TorchScript is optimized for it."""
_LARGE = 1 << 20
"""Elements of an input from which on it is at the first one: below, optimizing costs more than the tenth of the work that it saves."""


class TorchModel:
    """A module with its resolved signature."""

    def __init__(self, file: TorchFile, call: Call, signature: Signature) -> None:
        self._file = file
        self._call = call
        self._signature = signature
        self._calls: Counter[tuple[tuple[int, ...], ...]] = Counter()
        self._watch = Watch(file)

    def signature(self) -> Signature:
        """Inputs by forward()'s argument names; outputs as `trees.named_outputs` calls them."""
        return self._signature

    def predict(self, feeds: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Outputs of one batch. TorchScript is optimized for shapes that come often, or are large: that costs seconds a shape."""
        shapes = tuple(array.shape for array in feeds.values())
        self._calls[shapes] += 1
        often = self._calls[shapes] > _OFTEN or any(array.size >= _LARGE for array in feeds.values())
        with torch.inference_mode(), torch.jit.optimized_execution(often), self._watch:
            outputs = named_outputs(self._call(self._arguments(feeds)))
        return {name: tensor.detach().cpu().numpy() for name, tensor in outputs.items()}

    def intermediates(self, feeds: dict[str, np.ndarray]) -> list[Intermediate]:
        """What its modules and calls give; see `observe`."""
        return observe(self._file, self._call, self._arguments(feeds))

    def impurities(self) -> list[str]:
        """What its outputs depend on beside its inputs; see `purity`."""
        return self._watch.found()

    def others(self) -> list[str]:
        """Methods of a TorchScript archive that forward() does not call."""
        return uncalled_methods(self._file.module) if self._file.program is None else []

    def _arguments(self, feeds: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
        return {spec.name: torch.from_numpy(np.ascontiguousarray(feeds[spec.name])) for spec in self._signature.inputs}


def load(request: Mapping[str, Any]) -> TorchModel:
    """Open a torch file; shapes that the format does not declare are probed (see `shapes`)."""
    model = ModelRequest.from_json(request)
    file = open_torch(model)
    if file.program is None:
        inputs = probe_inputs(file.module, model)
        call = module_call(file.module, argument_names(file.module))
    else:
        inputs, call = declared_inputs(file.program, model), program_call(file.program, file.module)
    outputs = _output_specs(call, inputs, _examples(file, inputs, model), model.path)
    return TorchModel(file, call, Signature(inputs, outputs))


def _examples(file: TorchFile, inputs: tuple[TensorSpec, ...], request: ModelRequest) -> list[dict[str, torch.Tensor]]:
    """Values to try before zeros: the user's, and those that a program was exported with."""
    names = [spec.name for spec in inputs]
    found = [
        {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in values.items()}
        for values in given_values(names, request)
    ]
    if file.program is not None and file.program.example_inputs is not None:
        leaves = [
            leaf for leaf in torch.utils._pytree.tree_leaves(file.program.example_inputs) if torch.is_tensor(leaf)
        ]
        found.append(dict(zip(tensor_inputs(file.program), leaves, strict=False)))
    return found


def _output_specs(
    call: Call, inputs: tuple[TensorSpec, ...], examples: list[dict[str, torch.Tensor]], path: str
) -> tuple[TensorSpec, ...]:
    """Run once to see how many outputs there are and of what type.

    Raises:
        UnusableInput: it runs on none of the values tried.
    """
    tried = [arguments for given in (*examples,) or (None,) for arguments in trials(inputs, given)]
    outputs, complaint = run_once(call, tried)
    if complaint:
        raise UnusableInput(
            f"{path}: does not run on values made up: {complaint}",
            "give inputs that it takes: --inputs FILE.npz, and sizes with --input-shape",
        )
    found = named_outputs(outputs)
    free = any(spec.batch is None for spec in inputs)
    fixed = _without_batch(call, inputs) if free else frozenset()
    return tuple(
        TensorSpec(
            name=name,
            shape=(None, *tensor.shape[1:]) if free and tensor.dim() and name not in fixed else tuple(tensor.shape),
            dtype=str(tensor.dtype).removeprefix("torch."),
        )
        for name, tensor in found.items()
    )


def _without_batch(call: Call, inputs: tuple[TensorSpec, ...]) -> frozenset[str]:
    """Names of the outputs that are as large for two samples as for three; none where it runs on neither."""
    shapes = []
    for count in (2, 3):
        outputs, complaint = run_once(call, trials(inputs, None, count))
        shapes.append({} if complaint else {name: value.shape for name, value in named_outputs(outputs).items()})
    return frozenset(name for name, shape in shapes[0].items() if shapes[1].get(name) == shape)


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
