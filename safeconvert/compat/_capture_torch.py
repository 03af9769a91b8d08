"""Save torch modules from memory, as files that stand alone."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from safeconvert.compat._agree import SEEDS, Array, Model, difference, noise
from safeconvert.compat._session import require_same
from safeconvert.errors import UnusableInput

Axes = dict[int, tuple[Any, str]]
"""Free axes of one input: what torch.export is told (a Dim, a hint), and the axis' name in the ONNX file, or ""."""


@dataclass(frozen=True)
class Captured:
    """A module in a file.

    Attributes:
        path: `.pt2` or `.pt`.
        shapes: of the inputs by name, where the file does not declare them.
        program: the ExportedProgram, or None.
    """

    path: Path
    shapes: dict[str, tuple[int, ...]]
    program: Any = None


def is_program(model: Any) -> bool:
    """Whether a model is an ExportedProgram, which the exporter takes as it is."""
    return isinstance(model, torch.export.ExportedProgram)


def positional(function: str, model: Any, args: Any, kwargs: Mapping[str, Any] | None) -> tuple[torch.Tensor, ...]:
    """The example inputs in the order of forward().

    Raises:
        UnusableInput: keyword arguments that have no place in that order, or an example that is no tensor.
    """
    given = tuple(args) if isinstance(args, tuple | list) else (args,)
    if kwargs:
        bound = inspect.signature(model.forward).bind(*given, **kwargs)
        if bound.kwargs:
            raise UnusableInput(
                f"{function}: kwargs {', '.join(bound.kwargs)} cannot be honoured: ONNX inputs have an order",
                "give them positions in forward()",
            )
        given = bound.args
    for position, value in enumerate(given):
        if not isinstance(value, torch.Tensor):
            raise UnusableInput(
                f"{function}: args[{position}] is a {type(value).__name__}, and only tensors can be run and compared",
                "wrap the module in one whose forward() takes tensors only",
            )
    return given


def free_axes(
    function: str,
    model: Any,
    args: Sequence[torch.Tensor],
    dynamic_shapes: Any,
    dynamic_axes: Mapping[str, Any] | None,
    input_names: Sequence[str] | None,
) -> list[Axes]:
    """The free axes of each input, from torch.export's dynamic_shapes or from dynamic_axes."""
    if is_program(model):
        return []
    forward = list(inspect.signature(model.forward).parameters)[: len(args)]
    if dynamic_shapes is None and dynamic_axes:
        names = list(input_names or forward)
        return [_axes(dynamic_axes.get(name)) for name in names[: len(args)]]
    if dynamic_shapes is None:
        return [{} for _ in args]
    if isinstance(dynamic_shapes, Mapping):
        unknown = sorted(set(dynamic_shapes) - set(forward))
        if unknown:
            raise UnusableInput(
                f"{function}: dynamic_shapes names {', '.join(unknown)}", f"forward() takes {', '.join(forward)}"
            )
        return [_axes(dynamic_shapes.get(name)) for name in forward]
    if len(dynamic_shapes) != len(args):
        raise UnusableInput(f"{function}: dynamic_shapes is for {len(dynamic_shapes)} inputs, args holds {len(args)}")
    return [_axes(axes) for axes in dynamic_shapes]


def exported(function: str, model: Any, args: tuple[torch.Tensor, ...], free: Sequence[Axes], folder: Path) -> Captured:
    """Capture with torch.export (non-strict first, as the exporter does), and see that the file is the module.

    Raises:
        UnusableInput: torch.export cannot capture it.
        NotEquivalent: the file is another function.
    """
    if isinstance(model, torch.jit.ScriptModule | torch.jit.ScriptFunction):
        return traced(function, model, args, folder)
    path = folder / "program.pt2"
    program = model if is_program(model) else _program(function, model, args, free)
    torch.export.save(program, path)
    if not is_program(model):
        saved = torch.export.load(path).module()
        require_same(function, "what torch.export captured", difference(_run(model), _run(saved), _samples(args)))
    return Captured(path, {}, program)


def traced(function: str, model: Any, args: tuple[torch.Tensor, ...], folder: Path) -> Captured:
    """Trace in inference mode, and see that the file is the module. A ScriptModule is saved as it is."""
    path = folder / "module.pt"
    with _inference(model), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        script = model
        if not isinstance(model, torch.jit.ScriptModule):
            with torch.no_grad():
                script = torch.jit.trace(model, args, check_trace=False)
        torch.jit.save(script, path)
        saved = torch.jit.load(path)
        require_same(function, "what torch.jit.trace captured", difference(_run(model), _run(saved), _samples(args)))
    names = [argument.name for argument in saved.forward.schema.arguments[1:]]
    return Captured(path, {name: tuple(tensor.shape) for name, tensor in zip(names, args, strict=False)})


def program(path: Path, captured: Any) -> Any:
    """The ONNXProgram of a verified file, with all of it in memory."""
    import onnx_ir

    model = onnx_ir.load(path)
    onnx_ir.external_data.load_to_model(model)
    return torch.onnx.ONNXProgram(model, captured)


def _program(function: str, model: Any, args: tuple[torch.Tensor, ...], free: Sequence[Axes]) -> Any:
    shapes = tuple({axis: dim for axis, (dim, _) in axes.items()} for axes in free) if any(free) else None
    complaint = ""
    for strict in (False, True):
        try:
            return torch.export.export(model, args, dynamic_shapes=shapes, strict=strict)
        except Exception as error:  # noqa: BLE001 - torch.export's refusals have no common base
            complaint = complaint or " ".join(str(error).split())[:240]
    raise UnusableInput(
        f"{function}: torch.export cannot capture the module: {complaint}", "try dynamo=False, which traces it"
    )


def _axes(given: Any) -> Axes:
    """One input's free axes; a name alone is a free dimension of that name in the file."""
    if given is None:
        return {}
    if isinstance(given, Mapping):
        items = list(given.items())
    elif all(isinstance(item, int) and not isinstance(item, bool) for item in given):  # dynamic_axes: a list of axes
        items = [(axis, torch.export.Dim.DYNAMIC) for axis in given]
    else:
        items = list(enumerate(given))
    axes: Axes = {}
    for axis, dim in items:
        if isinstance(dim, str):
            axes[axis] = (torch.export.Dim.DYNAMIC, dim)
        elif dim is not None and not isinstance(dim, int):
            axes[axis] = (dim, str(getattr(dim, "__name__", "")))
    return axes


def _samples(args: Sequence[torch.Tensor]) -> list[list[Array]]:
    """The caller's own example, and noise of the same shapes."""
    example = [tensor.detach().cpu().numpy() for tensor in args]
    shapes, dtypes = [array.shape for array in example], [array.dtype.name for array in example]
    return [example, *(noise(shapes, dtypes, seed) for seed in SEEDS)]


def _run(module: Any) -> Model:
    def run(arrays: Sequence[Array]) -> Sequence[Array]:
        with torch.no_grad():
            outputs = module(*(torch.from_numpy(array.copy()) for array in arrays))
        leaves, _ = torch.utils._pytree.tree_flatten(outputs)
        return [leaf.detach().cpu().numpy() for leaf in leaves if isinstance(leaf, torch.Tensor)]

    return run


@contextmanager
def _inference(model: Any) -> Iterator[None]:
    """Inference mode for a time, as the TorchScript exporter does by itself."""
    before = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(before)
