"""`torch.onnx`: `export` with its own signature (torch 2.13), verified against the module in memory.

The module is captured here, as the exporter does it (torch.export, or torch.jit.trace with dynamo=False), and compared with
what was captured; the exporter runs in a worker, and its file is compared with the captured module.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from safeconvert.compat._session import Job, converted, refuse
from safeconvert.errors import UnusableInput

_NAME = "torch.onnx.export"
_FILES = "what the exporter writes besides the model is written in the worker, and is gone with it"


def export(
    model: Any,
    args: tuple[Any, ...] = (),
    f: str | os.PathLike[str] | None = None,
    *,
    kwargs: dict[str, Any] | None = None,
    verbose: bool | None = None,
    input_names: Sequence[str] | None = None,
    output_names: Sequence[str] | None = None,
    opset_version: int | None = None,
    dynamo: bool = True,
    external_data: bool = True,
    dynamic_shapes: dict[str, Any] | tuple[Any, ...] | list[Any] | None = None,
    custom_translation_table: Any = None,
    report: bool = False,
    optimize: bool = True,
    verify: bool = False,
    profile: bool = False,
    dump_exported_program: bool = False,
    artifacts_dir: str | os.PathLike[str] = ".",
    export_params: bool = True,
    keep_initializers_as_inputs: bool = False,
    dynamic_axes: Mapping[str, Mapping[int, str]] | Mapping[str, Sequence[int]] | None = None,
    training: Any = None,
    operator_export_type: Any = None,
    do_constant_folding: bool = True,
    custom_opsets: Mapping[str, int] | None = None,
    export_modules_as_functions: bool | Collection[type[Any]] = False,
    autograd_inlining: bool = True,
) -> Any:
    """A torch module as ONNX: at `f`, with a certificate beside it, and with dynamo=True as an `ONNXProgram` too.

    `verify` is always on; what `verbose` prints goes to the worker's log.

    Raises:
        NotEquivalent: what was captured, or the ONNX model, is not the same function.
        UnusableInput: an argument that cannot be honoured, by name.
    """
    refuse(_NAME, "Python functions cannot be handed to the worker", custom_translation_table=custom_translation_table)
    refuse(_NAME, _FILES, report=report, profile=profile, dump_exported_program=dump_exported_program)
    refuse(_NAME, _FILES, artifacts_dir=None if os.fspath(artifacts_dir) == "." else artifacts_dir)
    refuse(_NAME, "a model without its weights cannot be run", **{"export_params=False": not export_params})
    refuse(_NAME, "a module in training mode is no function", training=_not_default(training, "EVAL"))
    refuse(
        _NAME, "only ONNX' own operators can be run", operator_export_type=_not_default(operator_export_type, "ONNX")
    )
    refuse(_NAME, "only ONNX' own operators can be run", custom_opsets=custom_opsets)
    refuse(_NAME, "the exporter no longer has it", export_modules_as_functions=export_modules_as_functions)
    from safeconvert.compat import _capture_torch

    positional = _capture_torch.positional(_NAME, model, args, kwargs)
    names = {"input_names": list(input_names or []) or None, "output_names": list(output_names or []) or None}
    with tempfile.TemporaryDirectory(prefix="safeconvert-source-") as folder:
        if dynamo or _capture_torch.is_program(model):
            free = _capture_torch.free_axes(_NAME, model, positional, dynamic_shapes, dynamic_axes, input_names)
            captured = _capture_torch.exported(_NAME, model, positional, free, Path(folder))
            arguments: dict[str, Any] = {
                **names,
                "external_data": external_data and f is not None,
                "optimize": optimize,
                "keep_initializers_as_inputs": keep_initializers_as_inputs,
                "axis_names": [{str(axis): name for axis, (_, name) in axes.items() if name} for axes in free],
            }
            route = "torch_onnx_dynamo"
        else:
            refuse(_NAME, "with dynamo=False the free axes are given as dynamic_axes", dynamic_shapes=dynamic_shapes)
            if f is None:
                raise UnusableInput(f"{_NAME}: dynamo=False needs f, the file to write", "name one, or use dynamo=True")
            captured = _capture_torch.traced(_NAME, model, positional, Path(folder))
            arguments = {
                **names,
                "shapes": [list(tensor.shape) for tensor in positional],
                "dynamic_axes": _axes(dynamic_axes),
                "keep_initializers_as_inputs": keep_initializers_as_inputs,
                "do_constant_folding": do_constant_folding,
                "autograd_inlining": autograd_inlining,
            }
            route = "torch_onnx_script"
        writable = f if hasattr(f, "write") else None
        job = Job(
            captured.path, "onnx", route, "model.onnx", arguments, shapes=captured.shapes, opset=opset_version or 0,
            output=Path(f) if f is not None and writable is None else None,
        )  # fmt: skip
        with converted(job) as path:
            if writable is not None:
                writable.write(path.read_bytes())
            return _capture_torch.program(path, captured.program) if route == "torch_onnx_dynamo" else None


def _not_default(value: Any, default: str) -> Any:
    """None where an enumeration has its default value."""
    return None if value is None or getattr(value, "name", value) == default else value


def _axes(dynamic_axes: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Free axes by tensor, as JSON: a mapping's keys become text, a list stays one."""
    if not dynamic_axes:
        return None
    return {
        name: {str(axis): label for axis, label in axes.items()} if isinstance(axes, Mapping) else list(axes)
        for name, axes in dynamic_axes.items()
    }
