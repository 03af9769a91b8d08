"""Export with the sizes free that the source leaves free, where the ONNX file is still the source at other sizes.

A trace keeps what it met as a number in a few places (grids, adaptive windows), so that a size which is called free need not be:
the file is run at other sizes beside the module, and where it differs or stops, the caller exports fixed sizes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from safeconvert.adapter_api.protocol import ConvertReply, ConvertRequest
from safeconvert.core.signature import TensorSpec
from safeconvert.graph.sessions import open_session

from .._shared.torch_export import finish, output_names
from .._shared.torch_trees import module_call, named_outputs
from .._shared.torch_trial import run_once

Axes = dict[str, dict[int, str]]
_CALLS = 2  # at other sizes; larger ones first, a smaller one where the module takes no larger
_CLOSE = 1e-4  # of an output's scale: two runtimes in float32
_CLOSE_HALF = 1e-2


def with_open_sizes(
    step: ConvertRequest, module: Any, example: tuple[torch.Tensor, ...], export: Callable[[Axes], None]
) -> ConvertReply | None:
    """Export with open sizes, checked at others; None where there are none or they do not stay right."""
    assert step.signature is not None
    inputs = step.signature.inputs
    if not any(spec.open for spec in inputs):
        return None
    names, outputs = [spec.name for spec in inputs], output_names(step.signature)
    call = module_call(module, names)
    calls: list[tuple[tuple[torch.Tensor, ...], list[torch.Tensor]]] = []
    for resize in (lambda size: 2 * size, lambda size: size + size // 2 + 1, lambda size: size // 2 or 1):
        if len(calls) == _CALLS:
            break
        arguments = _resized(inputs, example, resize)
        found, complaint = run_once(call, [dict(zip(names, arguments, strict=True))])
        if not complaint:
            calls.append((arguments, list(named_outputs(found).values())))
    if not calls:
        return None
    free: Axes = {spec.name: {axis: f"{spec.name}_{axis}" for axis in spec.open} for spec in inputs if spec.open}
    usual = named_outputs(call(dict(zip(names, example, strict=True)))).values()
    for name, before, after in zip(outputs, usual, calls[0][1], strict=True):
        changed = [axis for axis in range(1, before.dim()) if before.shape[axis] != after.shape[axis]]
        free |= {name: {axis: f"{name}_{axis}" for axis in changed}} if changed else {}
    try:
        export(_with_batch(free, step))
        finish(step)
        session = open_session(step.target)
        same = all(_same(session, names, *one) for one in calls)
    except Exception:  # noqa: BLE001 - the exporter or ONNX Runtime refuses free sizes; fixed ones are next
        return None
    if not same:
        return None
    sizes = "; ".join(" and ".join(str(list(value.shape)) for value in arguments) for arguments, _ in calls)
    return ConvertReply((), (), (f"sizes left free; the ONNX file is the source at {sizes} too",))


def _with_batch(free: Axes, step: ConvertRequest) -> Axes:
    """The axes with those of a free batch."""
    assert step.signature is not None
    batched = any(spec.shape and spec.batch is None for spec in step.signature.inputs)
    if not batched:
        return free
    named = [(spec.name, spec) for spec in step.signature.inputs if spec.batch is None]
    named += list(zip(output_names(step.signature), step.signature.outputs, strict=True))
    return {name: ({0: "batch"} if spec.shape else {}) | free.get(name, {}) for name, spec in named} | {
        name: axes for name, axes in free.items() if name not in dict(named)
    }


def _resized(
    specs: Sequence[TensorSpec], example: tuple[torch.Tensor, ...], resize: Callable[[int], int]
) -> tuple[torch.Tensor, ...]:
    """Arguments of other sizes along the open axes: noise, or the example's integers over again."""
    generator = torch.Generator().manual_seed(0)
    made = []
    for spec, value in zip(specs, example, strict=True):
        shape = [resize(size) if axis in spec.open else size for axis, size in enumerate(value.shape)]
        if value.is_floating_point():
            made.append(torch.randn(shape, generator=generator).to(value.dtype))
        else:
            repeats = [-(-size // own) for size, own in zip(shape, value.shape, strict=True)]
            made.append(value.repeat(repeats)[tuple(slice(size) for size in shape)])
    return tuple(made)


def _same(session: Any, names: list[str], arguments: tuple[torch.Tensor, ...], wanted: list[torch.Tensor]) -> bool:
    feeds = {name: value.numpy() for name, value in zip(names, arguments, strict=True)}
    kept = {one.name for one in session.get_inputs()}
    found = session.run(None, {name: array for name, array in feeds.items() if name in kept})
    for one, other in zip(found, (value.numpy() for value in wanted), strict=True):
        close = _CLOSE_HALF if other.dtype == np.float16 else _CLOSE
        scale = float(np.abs(other.astype(np.float64)).max(initial=0)) or 1.0
        if one.shape != other.shape or not np.allclose(one, other, rtol=0, atol=close * scale):
            return False
    return True
