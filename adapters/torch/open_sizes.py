"""Which sizes of a module's inputs are free, shown by running it at others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch

from safeconvert.core.signature import TensorSpec

from .._shared.torch_trees import Call, named_outputs
from .._shared.torch_trial import run_once, trials

Specs = tuple[TensorSpec, ...]


def with_free_batch(call: Call, specs: Specs, given: Mapping[str, torch.Tensor] | None) -> Specs:
    """Free the batch dimension where the module also takes two and three samples and returns as many."""
    if not all(spec.shape for spec in specs):
        return specs
    for count in (2, 3):
        wanted = tuple(replace(spec, shape=(count, *spec.shape[1:])) for spec in specs)
        outputs, complaint = run_once(call, trials(wanted, _rows(given, count)))
        if complaint or any(value.dim() == 0 or value.shape[0] != count for value in named_outputs(outputs).values()):
            return specs
    return tuple(replace(spec, shape=(None, *spec.shape[1:])) for spec in specs)


def with_open_sizes(call: Call, specs: Specs, features: frozenset[int]) -> Specs:
    """Note the other axes of which the module takes another size too: theirs is a guess, or that of the user's arrays.

    Twice the size is tried, and where that fails half of it: a table of positions ends somewhere, and so does memory.

    Args:
        call: of the module.
        specs: its inputs.
        features: sizes that its matrices multiply; such an axis is not free, whatever a kernel reads beyond it.
    """
    return tuple(replace(spec, open=_open(call, specs, index, features)) for index, spec in enumerate(specs))


def _open(call: Call, specs: Sequence[TensorSpec], index: int, features: frozenset[int]) -> tuple[int, ...]:
    spec = specs[index]
    found = []
    for axis in range(1, len(spec.shape)):
        if (axis == 1 and spec.layout == "NCHW") or spec.shape[axis] in features:
            continue
        size = spec.shape[axis] or 1
        if any(_runs(call, specs, index, axis, other) for other in (2 * size, size // 2) if other):
            found.append(axis)
    return tuple(found)


def _runs(call: Call, specs: Sequence[TensorSpec], index: int, axis: int, size: int) -> bool:
    """Whether the module runs where one axis of the input at `place` has another size."""
    own = specs[index].shape
    changed = replace(specs[index], shape=(*own[:axis], size, *own[axis + 1 :]))
    return not run_once(call, trials([*specs[:index], changed, *specs[index + 1 :]], None))[1]


def _rows(given: Mapping[str, torch.Tensor] | None, count: int) -> Mapping[str, torch.Tensor] | None:
    """The first rows of the given values, repeated where there are too few."""
    if given is None:
        return None
    return {
        name: value[torch.arange(count) % len(value)] if value.dim() and len(value) else value
        for name, value in given.items()
    }
