"""Make an ExportedProgram of an onnx2torch module.

onnx2torch hands shapes, axes and the like to its modules as tensors (buffers that hold the ONNX initializers). Under
torch.export a buffer has no value, so `x.reshape(shape)` becomes data-dependent and the export fails. The values are
constants, so they are written into the graph as literals, which torch.export can follow.
"""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
import torch._subclasses.fake_tensor as fake_tensor
import torch.fx.experimental.proxy_tensor as proxy_tensor

_LARGEST_LITERAL = 4096


def export_program(module: torch.fx.GraphModule, example: tuple[torch.Tensor, ...], free: Sequence[bool]) -> Any:
    """Export with a free batch where that is asked for and possible, else with a batch of one.

    Args:
        module: what onnx2torch returned, in inference mode.
        example: one tensor an input.
        free: for each input, whether its batch is free.
    """
    _write_slices_as_indexing(module)
    _write_arguments_as_literals(module)
    with _followed_literals():
        if any(free):
            batch = torch.export.Dim("batch", min=1)
            shapes = tuple({0: batch} if is_free else {} for is_free in free)
            try:
                return torch.export.export(module, example, dynamic_shapes=_by_name(module, shapes))
            except Exception:  # noqa: BLE001 - torch.export's refusals have no common base
                shapes = tuple({0: torch.export.Dim.AUTO} if is_free else {} for is_free in free)
                try:
                    return torch.export.export(module, example, dynamic_shapes=_by_name(module, shapes))
                except Exception:  # noqa: BLE001 - as above: the batch is baked in, and the certificate says so
                    pass
        single = tuple(tensor[:1] if is_free else tensor for tensor, is_free in zip(example, free, strict=True))
        return torch.export.export(module, single)


def _by_name(module: torch.fx.GraphModule, shapes: tuple[Any, ...]) -> dict[str, Any]:
    names = [node.name for node in module.graph.nodes if node.op == "placeholder"]
    return dict(zip(names, shapes, strict=True))


def _write_slices_as_indexing(module: torch.fx.GraphModule) -> None:
    """Replace ONNX Slice modules with constant, forward slices by plain indexing.

    onnx2torch 1.5.15 calls `.numpy()` on the starts and ends, which torch.export does not allow.
    """
    graph = module.graph
    for node in list(graph.nodes):
        if node.op != "call_module" or type(module.get_submodule(node.target)).__name__ != "OnnxSlice":
            continue
        constants = [_attribute(module, argument) for argument in node.args[1:]]
        known = [value.tolist() for value in constants if value is not None]
        if len(known) < max(len(constants), 2):
            continue
        starts, ends = known[:2]
        axes = known[2] if len(known) > 2 else list(range(len(starts)))
        steps = known[3] if len(known) > 3 else [1] * len(starts)
        if any(axis < 0 for axis in axes) or any(step < 1 for step in steps):
            continue
        index: list[slice] = [slice(None)] * (max(axes) + 1)
        for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
            index[axis] = slice(start, end, step)
        with graph.inserting_before(node):
            indexed = graph.call_function(operator.getitem, (node.args[0], tuple(index)))
        node.replace_all_uses_with(indexed)
        graph.erase_node(node)
    module.recompile()


def _attribute(module: torch.fx.GraphModule, node: Any) -> torch.Tensor | None:
    """The value of a `get_attr` node, or None for any other."""
    if not isinstance(node, torch.fx.Node) or node.op != "get_attr":
        return None
    value: Any = module
    for part in node.target.split("."):
        value = getattr(value, part)
    return value


def _write_arguments_as_literals(module: torch.fx.GraphModule) -> None:
    """Replace every scalar and every small integer buffer that the graph reads by a `torch.tensor(...)` call."""
    graph = module.graph
    for node in list(graph.nodes):
        value = _attribute(module, node)
        if value is None:
            continue
        limit = 1 if value.dtype.is_floating_point else _LARGEST_LITERAL
        if value.numel() <= limit:
            with graph.inserting_before(node):
                literal = graph.call_function(torch.tensor, (value.tolist(),), {"dtype": value.dtype})
            node.replace_all_uses_with(literal)
            graph.erase_node(node)
    module.recompile()


@contextmanager
def _followed_literals() -> Iterator[None]:
    """Let torch.export carry the values of literals of more than one element (its own limit is one, torch 2.13)."""
    before = fake_tensor.CONSTANT_NUMEL_LIMIT, proxy_tensor.CONSTANT_NUMEL_LIMIT
    fake_tensor.CONSTANT_NUMEL_LIMIT = proxy_tensor.CONSTANT_NUMEL_LIMIT = _LARGEST_LITERAL
    try:
        yield
    finally:
        fake_tensor.CONSTANT_NUMEL_LIMIT, proxy_tensor.CONSTANT_NUMEL_LIMIT = before
