"""What was saved in training mode: BatchNorms that normalise by the statistics of each call, and whole archives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from safeconvert.adapter_api.protocol import ModelRequest

from .._shared.torch_files import open_torch
from .._shared.torch_layers import layer_of
from .observe import scope_of

_TRAINING = 5
"""Which argument of `aten.batch_norm` and `aten.native_batch_norm` says so, counted from 0."""
_STEERED = tuple(
    f"aten::{name}"
    for name in (
        "dropout",
        "dropout_",
        "alpha_dropout",
        "feature_dropout",
        "feature_alpha_dropout",
        "rrelu",
        "batch_norm",
        "native_dropout",
    )
)
_CALLS = ("batch_norm", "native_batch_norm", "_native_batch_norm_legit", "_native_batch_norm_legit_functional")


def in_training(request: Mapping[str, Any]) -> list[str]:
    """The layers of a TorchScript archive or ExportedProgram, in the graph's order. Raises UnusableInput, as `load`."""
    file = open_torch(ModelRequest.from_json(request))
    if file.program is not None:
        return list(dict.fromkeys(_in_program(file.program)))
    return list(dict.fromkeys(_in_script(file.module))) if file.kind == "torchscript" else []


def steered(request: Mapping[str, Any]) -> list[str]:
    """The operators of a TorchScript archive saved in training mode that are others there than at inference; [] of any other file.

    They are run as inference has them here. Raises UnusableInput, as `load`.
    """
    file = open_torch(ModelRequest.from_json(request))
    if not file.training:
        return []
    graph = file.module.inlined_graph  # its nodes live as long as it does
    found = [kind for kind in _STEERED if graph.findNode(kind, True) is not None]
    return [kind.removeprefix("aten::") for kind in found]


def _in_program(program: Any) -> Iterator[str]:
    for node in program.graph.nodes:
        if node.op != "call_function" or getattr(node.target, "_opname", "") not in _CALLS:
            continue
        if len(node.args) > _TRAINING and node.args[_TRAINING] is True:
            yield layer_of(node)


def _in_script(module: Any) -> Iterator[str]:
    graph = module.inlined_graph  # its nodes live as long as it does
    for node in graph.findAllNodes("aten::batch_norm", recurse=True):
        if list(node.inputs())[_TRAINING].toIValue():
            yield scope_of(node) or node.kind()
