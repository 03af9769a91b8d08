"""ONNX → PyTorch without a converter: every operator expressed in plain torch functions, saved as `.pt2` (or `.pt` by tracing).

The last resort: for graphs that onnx2torch refuses. What torch cannot express is refused by name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch

from safeconvert.adapter_api.protocol import UNCHANGED, ConvertRequest, ModelRequest

from .._operators.given import obligations
from .._operators.read import inputs, plain
from .double import DoubleModel
from .module import GraphModule


def convert(request: Mapping[str, Any]) -> dict[str, Any]:
    """Convert and save; no dimension moves."""
    step = ConvertRequest.from_json(request)
    legal = plain(step.model.path, __file__)
    model, module = legal.model, GraphModule(legal.model).eval()
    known = {spec.name: spec.shape for spec in step.signature.inputs} if step.signature else {}
    examples, free = [], []
    for name, dtype, declared in inputs(model):
        shape = [
            size if isinstance(size, int) else (known.get(name, ())[axis : axis + 1] or (None,))[0] or size
            for axis, size in enumerate(declared)
        ]
        examples.append(_example(shape, dtype))
        free.append(bool(shape) and not isinstance(shape[0], int))
    examples = _run_once(module, examples)
    module.close()
    unmoved = replace(UNCHANGED, notes=legal.notes(), obligations=obligations(module.told))
    if step.target.endswith(".pt"):
        torch.jit.save(_traced(module, tuple(examples)), step.target)
        return unmoved.to_json()
    torch.export.save(_without_assertions(export(module, tuple(examples), free)), step.target)
    return unmoved.to_json()


def _traced(module: GraphModule, examples: tuple[torch.Tensor, ...]) -> Any:
    """TorchScript. Raises NotImplementedError, which says that a `.pt2` target may do, where a size has to be known that it does not."""
    try:
        with torch.inference_mode():
            return torch.jit.trace(module, examples, check_trace=False)
    except NotImplementedError as error:
        raise NotImplementedError(
            f"{error} while TorchScript is traced; a target that ends in .pt2 is not traced"
        ) from error


def load(request: Mapping[str, Any]) -> DoubleModel:
    """Open an ONNX file to be computed in float64; see `safeconvert.rounding`."""
    return DoubleModel(ModelRequest.from_json(request))


def _run_once(module: GraphModule, examples: list[torch.Tensor]) -> list[torch.Tensor]:
    """The examples, on which the module runs, so that its constants become buffers; ones where it divides whole numbers by zero."""
    with torch.inference_mode():
        try:
            module(*examples)
        except RuntimeError as error:
            if "ZeroDivisionError" not in str(error):
                raise
            examples = [torch.ones_like(example) for example in examples]
            module(*examples)
    return examples


def _example(shape: Sequence[int | str], dtype: str) -> torch.Tensor:
    sizes = [size if isinstance(size, int) else (2 if axis == 0 else 1) for axis, size in enumerate(shape)]
    return torch.zeros(sizes, dtype=getattr(torch, dtype))


def _without_assertions(program: Any) -> Any:
    """The program less torch's own assertions on sizes that depend on the data, whose messages are code; they give nothing."""
    graph = program.graph_module.graph
    for node in list(graph.nodes):
        if node.target is torch.ops.aten._assert_scalar.default:
            graph.erase_node(node)
    graph.eliminate_dead_code()
    program.graph_module.recompile()
    return program


def export(module: torch.nn.Module, examples: tuple[torch.Tensor, ...], free: Sequence[bool]) -> Any:
    """The exported program, its batch free where that was asked for and torch.export can keep it so."""
    if any(free):
        batch = torch.export.Dim("batch", min=1)
        for size in (batch, torch.export.Dim.AUTO):
            shapes = (tuple({0: size} if is_free else {} for is_free in free),)
            try:
                return torch.export.export(module, examples, dynamic_shapes=shapes)
            except NotImplementedError:
                raise
            except Exception:  # noqa: BLE001 - torch.export's refusals have no common base; a batch of one is next
                continue
    single = tuple(tensor[:1] if is_free else tensor for tensor, is_free in zip(examples, free, strict=True))
    return torch.export.export(module, single)
