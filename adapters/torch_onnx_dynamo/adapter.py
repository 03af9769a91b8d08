"""torch → ONNX with `torch.onnx.export(dynamo=True)`.

A TorchScript archive is first made an ExportedProgram by torch's own TS2EPConverter, since torch.export takes none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import onnx
import torch

from safeconvert.adapter_api.protocol import UNCHANGED, ConvertRequest

from .._shared.torch_export import example_inputs, finish, output_names
from .._shared.torch_files import TorchFile, is_large, open_torch
from .._shared.torch_layers import layer_of
from .division import size_translations
from .lacking import spelled_out

_CALL = re.compile(r"translating node %(\w+) : .*?target=torch\.ops\.([\w.]+)\]")
PRELOADED = (
    "torch._dynamo", "torch.export._trace", "torch._export.serde.serialize", "torch.export.pt2_archive._package", "torch.onnx._internal.exporter._core",
    "onnxscript.function_libs.torch_lib.ops", "onnxscript.rewriter",
)  # fmt: skip
"""What opening a program and the first export import."""


def convert(request: Mapping[str, Any]) -> dict[str, Any]:
    """Export; a free batch stays free where torch.export can keep it so."""
    step = ConvertRequest.from_json(request)
    assert step.signature is not None
    if step.arguments:
        return _as_asked(step, dict(step.arguments))
    file = open_torch(step.model)
    for batch in _batches(file, step):
        try:
            _export(_program(file, step, batch), step)
        except (RuntimeError, ValueError):
            if batch == _batches(file, step)[-1]:
                raise
        else:
            break
    finish(step)
    return UNCHANGED.to_json()


def _batches(file: TorchFile, step: ConvertRequest) -> tuple[int, ...]:
    """Sizes of the batch to export with, in turn: torch.export takes 1 for a fixed size, and TorchScript may go through with no other."""
    assert step.signature is not None
    if file.program is not None or not any(spec.batch is None for spec in step.signature.inputs):
        return (1,)
    return (2, 1) if file.kind == "torchscript" else (2,)


def _export(program: Any, step: ConvertRequest) -> None:
    assert step.signature is not None
    program = spelled_out(program)
    try:
        exported = torch.onnx.export(
            program,
            dynamo=True,
            input_names=[spec.name for spec in step.signature.inputs],
            output_names=output_names(step.signature),
            opset_version=step.opset or None,
            custom_translation_table=size_translations(program) or None,
            verbose=False,
        )
    except torch.onnx.OnnxExporterError as error:
        raise NotImplementedError(_stumbled_over(error, program)) from error
    assert exported is not None
    exported.save(step.target, external_data=is_large(step.model.path))


def _stumbled_over(error: BaseException, program: Any) -> str:
    """The first cause, with the operator and its layer before it where the exporter names a call; its own message says only which step failed."""
    calls = []
    while error.__cause__ is not None:
        calls += _CALL.findall(str(error))
        error = error.__cause__
    cause = " ".join(str(error).split())
    for name, operator in calls[:1]:
        return f"operator {operator.removesuffix('.default')} at layer {_layer(program, name)}: {cause}"
    return cause


def _layer(program: Any, name: str) -> str:
    """The layer of a call, which the exporter's own decompositions may have made; its name where they made it otherwise."""
    for graph in (part().graph for part in (lambda: program, program.run_decompositions)):
        for node in graph.nodes:
            if node.name == name:
                return layer_of(node)
    return name


def _as_asked(step: ConvertRequest, own: dict[str, Any]) -> dict[str, Any]:
    """The drop-in: with the caller's own arguments, and the exporter's defaults for all others."""
    names = [{int(axis): name for axis, name in axes.items()} for axes in own.pop("axis_names")]
    external, keep = own.pop("external_data"), own.pop("keep_initializers_as_inputs")
    file = open_torch(step.model)
    exported = torch.onnx.export(
        _program(file, step, 1 if file.kind == "torchscript" else _batches(file, step)[0]),
        dynamo=True,
        opset_version=step.opset or None,
        dynamic_shapes=tuple(names) if any(names) else None,
        verbose=False,
        **own,
    )
    assert exported is not None
    exported.save(step.target, external_data=external, keep_initializers_as_inputs=keep)
    onnx.checker.check_model(step.target)
    return UNCHANGED.to_json()


def _program(file: TorchFile, step: ConvertRequest, batch: int) -> Any:
    assert step.signature is not None
    if file.program is not None:
        return file.program
    examples = example_inputs(step, file.module, batch=batch)
    if file.kind == "torchscript":
        from torch._export.converter import TS2EPConverter

        return TS2EPConverter(file.module, examples).convert()
    free = any(spec.batch is None for spec in step.signature.inputs)
    stays = step.keep_open and is_large(
        step.model.path
    )  # of smaller ones the other exporter keeps sizes free, and is first
    axes = [(*((0,) if free else ()), *(spec.open if stays else ())) for spec in step.signature.inputs]
    shapes = tuple(dict.fromkeys(free_axes, torch.export.Dim.AUTO) for free_axes in axes)
    return torch.export.export(file.module, examples, dynamic_shapes=shapes)
