"""The inputs that an ExportedProgram declares, and the sizes at which it is run where it leaves them free."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch

from safeconvert.adapter_api.protocol import ModelRequest
from safeconvert.adapter_api.shapes import with_given_shapes
from safeconvert.core.signature import TensorSpec

from .._shared.torch_trees import tensor_inputs

_MANY = 1024  # samples a call; what takes fewer has no batch that can be fed in chunks


def declared_inputs(program: Any, request: ModelRequest) -> tuple[TensorSpec, ...]:
    """The tensor inputs of an ExportedProgram.

    A batch is free where axis 0 of all inputs is one size that nothing else depends on, from 1 upwards. Other free sizes are
    those that the user or the data give, else those that it was exported with; None where the file does not keep these.

    Raises:
        UnusableInput: a shape given contradicts the declared one.
    """
    names = tensor_inputs(program)
    values = {node.name: node.meta["val"] for node in program.graph.nodes if node.op == "placeholder"}
    batch = _batch(program, [values[name] for name in names])
    specs = [_spec(name, values[name], batch) for name in names]
    exported = _example_sizes(program, names)
    settled = []
    for spec, requested in zip(specs, with_given_shapes(specs, request), strict=True):
        example = exported.get(spec.name, (None,) * len(spec.shape))
        free_batch = bool(spec.shape) and spec.shape[0] is None and str(values[spec.name].shape[0]) == batch
        shape = tuple(
            None if axis == 0 and free_batch else size if size is not None else example[axis]
            for axis, size in enumerate(requested.shape)
        )
        taken = tuple(
            axis
            for axis, (own, size) in enumerate(zip(spec.shape, shape, strict=True))
            if axis and size and own is None
        )
        settled.append(replace(requested, shape=shape, open=taken))
    return tuple(settled)


def _spec(name: str, value: Any, batch: str) -> TensorSpec:
    """A spec; the layout is given only where the channel count shows it (1, 3 or 4 second, and not last)."""
    shape = tuple(int(size) if isinstance(size, int) else None for size in value.shape)
    image = len(shape) in (4, 5) and shape[1] in (1, 3, 4) and shape[-1] not in (1, 3, 4)
    return TensorSpec(name, shape, str(value.dtype).removeprefix("torch."), "NCHW" if image else None)


def _batch(program: Any, values: list[Any]) -> str:
    """The symbol of the batch, "" where there is none that any number of samples fits."""
    first = {str(value.shape[0]) for value in values if value.dim() and not isinstance(value.shape[0], int)}
    if len(first) != 1:
        return ""
    symbol = first.pop()
    elsewhere = [str(size) for value in values for size in value.shape[1:] if not isinstance(size, int)]
    limits = {str(name): found for name, found in program.range_constraints.items()}.get(symbol)
    if limits is None or symbol in elsewhere or limits.lower > 1 or limits.upper < _MANY:
        return ""
    return symbol


def _example_sizes(program: Any, names: list[str]) -> dict[str, tuple[int, ...]]:
    """The shapes that a program was exported with, by input; empty where the file does not keep them."""
    if program.example_inputs is None:
        return {}
    leaves = [leaf for leaf in torch.utils._pytree.tree_leaves(program.example_inputs) if torch.is_tensor(leaf)]
    return {name: tuple(leaf.shape) for name, leaf in zip(names, leaves, strict=False)}
