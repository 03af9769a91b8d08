"""Which sizes of a module's inputs are free, shown by running it at others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch

from safeconvert.core.signature import TensorSpec

from .._shared.torch_trees import Call, named_outputs
from .._shared.torch_trial import run_once, trials

Specs = tuple[TensorSpec, ...]
Shape = tuple[int, ...]


def with_free_batch(call: Call, specs: Specs, given: Mapping[str, torch.Tensor] | None) -> Specs:
    """Free the batch dimension where the module also takes two and three samples and returns as many.

    Outputs that are as large whatever they are given (anchors) may stand beside; one is not enough.
    """
    if not all(spec.shape for spec in specs):
        return specs
    if not _has_batch(*(_shapes(call, specs, given, count) for count in (2, 3))):
        return specs
    return tuple(replace(spec, shape=(None, *spec.shape[1:])) for spec in specs)


def _has_batch(two: Sequence[Shape], three: Sequence[Shape]) -> bool:
    """Whether outputs for two and for three samples, () where it does not run, hold as many, somewhere in front, or are the same."""
    if len(two) != len(three):
        return False
    axes = [_batch_axis(first, second) for first, second in zip(two, three, strict=True)]
    return 0 in axes and all(
        axis is not None or one == other for axis, one, other in zip(axes, two, three, strict=True)
    )


def _batch_axis(two: Shape, three: Shape) -> int | None:
    """The one axis in which two shapes differ, where it holds two and three."""
    if len(two) != len(three):
        return None
    apart = [axis for axis, (one, other) in enumerate(zip(two, three, strict=True)) if one != other]
    return apart[0] if len(apart) == 1 and (two[apart[0]], three[apart[0]]) == (2, 3) else None


def _shapes(call: Call, specs: Specs, given: Mapping[str, torch.Tensor] | None, count: int) -> list[Shape]:
    """The shapes of the outputs for so many samples; none where it does not run."""
    wanted = tuple(replace(spec, shape=(count, *spec.shape[1:])) for spec in specs)
    outputs, complaint = run_once(call, trials(wanted, _rows(given, count)))
    return [] if complaint else [tuple(value.shape) for value in named_outputs(outputs).values()]


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
